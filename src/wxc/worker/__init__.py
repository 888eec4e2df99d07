"""`wxc worker`: the background tasks."""
