"""Saved queries: those that come with k8sidx (``*.cwli`` beside this file), and a user's own."""
