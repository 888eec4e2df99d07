"""Demo data: members and boards."""
