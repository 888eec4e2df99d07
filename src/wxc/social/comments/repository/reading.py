"""SQL that reads comments with all that is shown of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Uuid,
    case,
    column,
    false,
    func,
    literal,
    null,
    select,
    true,
)
from sqlalchemy.orm import aliased

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Comment, CommentLike, User
from wxc.social.comments.repository.sight import in_sight, is_author_visible
from wxc.social.posts.repository import AUTHOR
from wxc.social.users.repository import Entity
from wxc.social.users.visibility import is_anonymous

_LEAST, _GREATEST = UUID(int=0), UUID(int=(1 << 128) - 1)
_WRITTEN = (
    "id",
    "post_id",
    "parent_id",
    "depth",
    "body",
    "deleted_at",
    "created_at",
    "edited_at",
    "likes_count",
    "replies_count",
)


class CommentRow(NamedTuple):
    """A comment and its author: `written_columns`, `AUTHOR`, and what the viewer sees."""

    id: UUID
    post_id: UUID
    parent_id: UUID | None
    depth: int
    body: str | None
    """None, as the author is, of a tombstone."""
    deleted_at: datetime | None
    created_at: datetime
    edited_at: datetime | None
    likes_count: int
    replies_count: int
    author_id: UUID | None
    username: str | None
    display_name: str | None
    avatar_url: str | None
    liked: bool | None
    """None for an anonymous viewer."""
    has_more: bool
    """There are visible replies beyond those that the answer lists."""


@prepared(CommentRow)
def comment_by_id(comment_id: UUID, viewer_id: UUID | None, *, oldest_first: bool) -> AnySelect:
    """A comment that the viewer may see; none of its replies is listed."""
    has_more = _has_reply_beyond(null(), viewer_id, oldest_first=oldest_first)
    return in_sight(_comments(viewer_id, has_more), comment_id, viewer_id)


@prepared(CommentRow)
def comments_by_ids(
    ids: Sequence[UUID],
    last_reply_ids: Sequence[UUID | None],
    listed_counts: Sequence[int],
    viewer_id: UUID | None,
    *,
    oldest_first: bool,
) -> AnySelect:
    """Those of the comments that still exist, in any order.

    For each comment the last of its listed replies is given, and how many are listed.
    """
    listed = (
        func.unnest(ids, last_reply_ids, listed_counts)
        .table_valued(
            column("id", Uuid()), column("last_reply_id", Uuid()), column("replies", Integer())
        )
        .render_derived("listed")
    )
    beyond = _has_reply_beyond(listed.c.last_reply_id, viewer_id, oldest_first=oldest_first)
    has_more = case((Comment.children_count > listed.c.replies, beyond), else_=false())
    return (
        _comments(viewer_id, has_more)
        .select_from(listed)
        .join(Comment, Comment.id == listed.c.id)
        .outerjoin(User, User.id == Comment.author_id)
    )


def written_columns(comment: Entity = Comment) -> tuple[ColumnElement[Any], ...]:
    """The columns of a comment that its author or the time has written."""
    return tuple(getattr(comment, name) for name in _WRITTEN)


def _comments(viewer_id: UUID | None, has_more: ColumnElement[bool]) -> AnySelect:
    """A SELECT of the columns of `CommentRow`."""
    # Not EXISTS, for which the planner may read all that the viewer has ever liked.
    like = select(true()).where(
        CommentLike.user_id == viewer_id, CommentLike.comment_id == Comment.id
    )
    liked = case(
        (is_anonymous(viewer_id), null()), else_=func.coalesce(like.scalar_subquery(), false())
    )
    return select(*written_columns(), *AUTHOR, liked.label("liked"), has_more.label("has_more"))


def _has_reply_beyond(
    last: ColumnElement[Any], viewer_id: UUID | None, *, oldest_first: bool
) -> ColumnElement[bool]:
    """Whether the comment has a visible reply behind `last`, or any where that is NULL."""
    reply = aliased(Comment)
    beginning = literal(_LEAST if oldest_first else _GREATEST, Uuid())
    bound = func.coalesce(last, beginning, type_=Uuid())
    return (
        select(reply.id)
        .where(
            reply.parent_id == Comment.id,
            reply.id > bound if oldest_first else reply.id < bound,
            is_author_visible(viewer_id, reply),
        )
        .correlate_except(reply)
        .exists()
    )
