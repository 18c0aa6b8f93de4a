"""Interactive prompt of ``k8sidx query``, with completion and history."""
