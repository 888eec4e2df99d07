"""Access to PostgreSQL: two handles, prepared queries, keyset pagination."""
