"""SQL for notifications: reading them in groups, and writing them."""
