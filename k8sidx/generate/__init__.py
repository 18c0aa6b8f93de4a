"""Synthetic audit logs: measured ordinary work with planted, labelled attacks."""
