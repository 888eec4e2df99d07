"""SQL for follows, blocks and mutes."""
