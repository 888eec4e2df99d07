"""Refusals about posts."""

from wxc.http.refusals import NotFound


class PostNotFound(NotFound):
    """There is no such post."""
