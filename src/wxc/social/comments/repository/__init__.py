"""SQL for comments and threads."""
