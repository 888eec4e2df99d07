"""What can be wrong with a post one asks for."""

from wxc.http.refusals.resources import NotFound


class PostNotFound(NotFound):
    """There is no such post."""
