"""Notifications about what other users did."""
