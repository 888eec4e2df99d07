"""What can be wrong with a report."""

from wxc.http.refusals.resources import NotFound


class TargetNotFound(NotFound):
    """There is nothing of this kind and id to report."""
