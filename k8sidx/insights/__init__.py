"""CloudWatch Logs Insights text, run on any store.

``language`` parses the text, ``plan`` binds its names, expands its aliases and chooses a strategy:
what an engine can compute becomes a :class:`~k8sidx.query.algebra.Query`. ``execute`` runs it and
computes the rest over the rows that it returns.
"""
