"""What operators see of a member and do to an account."""
