"""Who likes which post."""
