"""The rules of exchanges, without a database or HTTP."""
