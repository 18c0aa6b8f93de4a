"""Notifications of findings: targets, messages, delivery."""
