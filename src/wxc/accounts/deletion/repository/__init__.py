"""SQL for deleting accounts.

A new feature that stores rows of an account adds them here. Rows counted by a row of another
account (a like, a follow) get queries in `edges` and a field in `service.Edges`. Other tables that
may hold many rows get an entry in `owned.OWNED_ROWS`. The foreign keys delete the rest with the
account's row.
"""
