"""Lists and ends a member's sessions."""
