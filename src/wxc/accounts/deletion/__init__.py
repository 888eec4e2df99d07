"""Account deletion: the request hides the account; the worker deletes its rows."""
