"""What can be wrong with a report."""

from wxc.core.errors import NotFound


class TargetNotFound(NotFound):
    """There is nothing of this kind and id to report."""
