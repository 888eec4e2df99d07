"""SQL for deleting accounts.

A new feature adds its rows here: rows that a row of another account counts get queries in `edges`
and a field in `service.Edges`; uncounted rows get a line in `owned.OWNED_ROWS`. All other rows
are deleted with the account's row, by its foreign keys.
"""
