"""The prompt of ``k8sidx query``: reading queries line by line, with completion."""
