"""The representations of exchanges in the API."""
