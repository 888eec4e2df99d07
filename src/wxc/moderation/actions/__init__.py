"""What operators see of an account and do to it."""
