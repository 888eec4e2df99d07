"""Writing, reading and liking comments."""
