"""k8sidx: Kubernetes audit logs in, threats found out."""

__version__ = "0.1.0"
