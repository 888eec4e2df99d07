"""What can be wrong with a session one wants to end."""

from wxc.http.refusals.resources import NotFound


class SessionNotFound(NotFound):
    """You have no such session."""
