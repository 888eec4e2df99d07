"""The documentation pages of the service."""
