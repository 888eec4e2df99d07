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
from wxc.social.comments.repository.visibility import is_author_visible, visible_comment
from wxc.social.posts.repository import AUTHOR_COLUMNS
from wxc.social.users.repository import Entity
from wxc.social.users.visibility import is_anonymous

_MIN_ID, _MAX_ID = UUID(int=0), UUID(int=(1 << 128) - 1)
_STORED_COLUMNS = (
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
    """The columns of `stored_columns` and `AUTHOR_COLUMNS`, `liked` and `has_more`."""

    id: UUID
    post_id: UUID
    parent_id: UUID | None
    depth: int
    body: str | None
    """None for a tombstone, as are the columns of the author."""
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
    """Whether the viewer can see replies that the response does not list."""


@prepared(CommentRow)
def comment_by_id(comment_id: UUID, viewer_id: UUID | None, *, oldest_first: bool) -> AnySelect:
    """No row for an invisible comment. `has_more` assumes that no reply is listed."""
    has_more = _has_reply_after(null(), viewer_id, oldest_first=oldest_first)
    return visible_comment(_select_comments(viewer_id, has_more), comment_id, viewer_id)


@prepared(CommentRow)
def comments_by_ids(
    ids: Sequence[UUID],
    last_reply_ids: Sequence[UUID | None],
    listed_counts: Sequence[int],
    viewer_id: UUID | None,
    *,
    oldest_first: bool,
) -> AnySelect:
    """The comments that still exist, in any order.

    `last_reply_ids` and `listed_counts` are the last listed reply and the number of listed replies
    of each comment.
    """
    listed = (
        func.unnest(ids, last_reply_ids, listed_counts)
        .table_valued(
            column("id", Uuid()), column("last_reply_id", Uuid()), column("listed_count", Integer())
        )
        .render_derived("listed")
    )
    has_unlisted = _has_reply_after(listed.c.last_reply_id, viewer_id, oldest_first=oldest_first)
    has_more = case((Comment.children_count > listed.c.listed_count, has_unlisted), else_=false())
    return (
        _select_comments(viewer_id, has_more)
        .select_from(listed)
        .join(Comment, Comment.id == listed.c.id)
        .outerjoin(User, User.id == Comment.author_id)
    )


def stored_columns(comment: Entity = Comment) -> tuple[ColumnElement[Any], ...]:
    return tuple(getattr(comment, name) for name in _STORED_COLUMNS)


def _select_comments(viewer_id: UUID | None, has_more: ColumnElement[bool]) -> AnySelect:
    # Not EXISTS, for which the planner may read all likes of the viewer.
    like = select(true()).where(
        CommentLike.user_id == viewer_id, CommentLike.comment_id == Comment.id
    )
    liked = case(
        (is_anonymous(viewer_id), null()), else_=func.coalesce(like.scalar_subquery(), false())
    )
    return select(
        *stored_columns(), *AUTHOR_COLUMNS, liked.label("liked"), has_more.label("has_more")
    )


def _has_reply_after(
    last: ColumnElement[Any], viewer_id: UUID | None, *, oldest_first: bool
) -> ColumnElement[bool]:
    """Whether the comment has a visible reply after `last`, or any if `last` is NULL."""
    reply = aliased(Comment)
    start = literal(_MIN_ID if oldest_first else _MAX_ID, Uuid())
    bound = func.coalesce(last, start, type_=Uuid())
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
