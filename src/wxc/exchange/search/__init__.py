"""Search for boards by place and conversion."""
