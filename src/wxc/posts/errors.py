"""What can be wrong with a post one asks for."""

from wxc.core.errors import NotFound


class PostNotFound(NotFound):
    """There is no such post."""
