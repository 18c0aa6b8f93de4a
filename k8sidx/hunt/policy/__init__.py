"""Audit policies for hunts: what a policy hides, and a policy that hides nothing."""
