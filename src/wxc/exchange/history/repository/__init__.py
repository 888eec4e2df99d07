"""SQL of the history."""
