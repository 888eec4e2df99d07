"""Refusals about comments."""

from wxc.http.problem_schemas import FieldError
from wxc.http.refusals.base import Refusal
from wxc.http.refusals.resources import Conflict, NotFound


class CommentNotFound(NotFound):
    """There is no such comment."""


class CommentDeleted(Conflict):
    """This comment has been deleted.

    It stays as a tombstone that holds its replies together. Take away what replies to it or
    edits it.
    """


class ParentNotFound(Refusal):
    """There is no such comment under this post to reply to.

    The comment was deleted with its last reply, or belongs to another post. Offer to comment
    on the post itself.
    """

    status = 422


class ThreadTooDeep(Refusal):
    """This comment is nested too deeply to be replied to.

    Replies go 50 levels deep. Reply to the comment above it instead.
    """

    status = 422


def parent_refusal(refusal: type[Refusal]) -> Refusal:
    """The refusal with a pointer to the field `parent_id`."""
    part = FieldError(pointer="/parent_id", code=refusal.code(), message=refusal.detail())
    return refusal(errors=[part])
