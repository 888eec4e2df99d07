"""Live changes of a board, by server-sent events."""
