"""SQL for notifications."""
