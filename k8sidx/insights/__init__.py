"""CloudWatch Logs Insights text, run on any store.

text → ``parse`` → ``resolve`` (what names mean, aliases put in) → ``run``: what an engine can
answer becomes a :class:`~k8sidx.query.algebra.Query`, the rest is worked out over the rows
that come back.
"""
