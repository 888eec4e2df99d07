"""What is measured, and not only tested; see README.md."""
