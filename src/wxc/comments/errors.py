"""What can be wrong with a comment one asks for or replies to."""

from wxc.core.errors import Conflict, InvalidPart, NotFound, Refusal


class CommentNotFound(NotFound):
    """There is no such comment."""


class CommentDeleted(Conflict):
    """This comment has been deleted."""


class ParentNotFound(Refusal):
    """There is no such comment under this post to reply to."""

    status = 422


class ThreadTooDeep(Refusal):
    """This comment is nested too deeply to be replied to."""

    status = 422


def of_parent(refusal: type[Refusal]) -> Refusal:
    """The refusal, pointing at the field that names the parent."""
    part = InvalidPart(pointer="/parent_id", code=refusal.code(), message=refusal.sentence())
    return refusal(errors=[part])
