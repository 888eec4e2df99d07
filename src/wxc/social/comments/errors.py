from wxc.http.problem_schemas import FieldError
from wxc.http.refusals.base import Refusal
from wxc.http.refusals.resources import Conflict, NotFound


class CommentNotFound(NotFound):
    """This comment is not available. It may have been deleted."""


class CommentDeleted(Conflict):
    """This comment has been deleted.

    It remains in the thread as a tombstone because it has replies, but can no longer be edited
    or replied to. Remove the controls for both.
    """


class ParentNotFound(Refusal):
    """The comment you are replying to is not available. You can comment on the post instead.

    `parent_id` is deleted, not visible to the user, or a comment on another post. Offer to
    comment on the post itself.
    """

    status = 422


class ThreadTooDeep(Refusal):
    """Replies to this comment are not possible. Reply to an earlier comment instead.

    The comment has the maximum `depth` of 50. Offer to reply to its parent instead.
    """

    status = 422


def parent_refusal(refusal: type[Refusal]) -> Refusal:
    """The refusal with an entry in `errors` for the field `parent_id`."""
    error = FieldError(pointer="/parent_id", code=refusal.code(), message=refusal.detail())
    return refusal(errors=[error])
