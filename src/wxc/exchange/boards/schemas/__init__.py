"""Request and response bodies of boards."""
