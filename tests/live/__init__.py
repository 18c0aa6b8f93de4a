"""A real API server whose events k8sidx receives, follows and watches (``make live``)."""
