"""The export of a member's data."""
