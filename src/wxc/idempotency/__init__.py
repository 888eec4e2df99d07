"""Requests that can be repeated under an `Idempotency-Key` and take effect once."""
