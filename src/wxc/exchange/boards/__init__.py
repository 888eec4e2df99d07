"""A board of rates: reading, replacing, confirming and deleting it."""
