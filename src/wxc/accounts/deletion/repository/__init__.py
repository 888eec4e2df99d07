"""SQL for deleting accounts.

A later feature hooks in here: rows that a row of another account counts get queries in `edges` and
a field in `service.Edges`; rows that nobody counts get a line in `owned.OWNED_ROWS`. All other rows
are deleted with the account's row, by its foreign keys.
"""
