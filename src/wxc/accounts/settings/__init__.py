"""Changes of a member's own account."""
