"""Error responses that several features share; those of one feature are in its `errors.py`."""
