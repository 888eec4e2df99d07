"""SQL for exchanges."""
