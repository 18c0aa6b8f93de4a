"""Hunts in other languages: CloudWatch Logs Insights, search requests, SQL, KQL, Lucene."""
