"""SQL for comments: reading threads, and changing them."""
