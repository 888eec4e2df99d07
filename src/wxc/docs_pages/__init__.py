"""The documentation that the service itself shows."""
