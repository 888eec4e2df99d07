"""Account deletion: hides the account at once; the worker deletes its rows."""
