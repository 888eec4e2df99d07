"""Requests that may be sent again and take effect once."""
