"""Performance measurements; see README.md."""
