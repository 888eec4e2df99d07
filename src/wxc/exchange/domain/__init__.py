"""Pure functions: no database, no HTTP."""
