"""All that an account owns, to take away."""
