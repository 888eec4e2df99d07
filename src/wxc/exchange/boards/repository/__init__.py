"""SQL of boards."""
