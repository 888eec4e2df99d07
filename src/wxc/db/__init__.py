"""The way to PostgreSQL: two handles, prepared queries, keyset pages."""
