"""Search for users."""
