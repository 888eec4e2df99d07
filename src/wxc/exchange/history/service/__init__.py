"""Reading and verifying the history."""
