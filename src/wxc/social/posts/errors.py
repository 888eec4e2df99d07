"""Refusals about posts."""

from wxc.http.refusals.resources import NotFound


class PostNotFound(NotFound):
    """There is no such post."""
