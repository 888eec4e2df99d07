"""Notifying users, and reading notifications."""
