"""The rules of exchanges as pure functions: no database, no HTTP."""
