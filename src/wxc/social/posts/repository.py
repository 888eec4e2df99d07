from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    any_,
    case,
    delete,
    exists,
    false,
    insert,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.db.commits import require_commit_before
from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import bind, prepared, prepared_outer
from wxc.models import Post, PostLike, RowId, User
from wxc.social.users.repository import Entity, has_username, summary_columns
from wxc.social.users.visibility import (
    has_blocked,
    is_anonymous,
    viewable_or_blocked_by,
    visible_to,
)

_STORED_COLUMNS = (
    "id",
    "body",
    "created_at",
    "edited_at",
    "likes_count",
    "comments_count",
    "version",
)
AUTHOR_COLUMNS = summary_columns(id_name="author_id")


class PostRow(NamedTuple):
    """The columns of `post_columns` and `AUTHOR_COLUMNS`, in this order."""

    id: UUID
    body: str
    created_at: datetime
    edited_at: datetime | None
    likes_count: int
    comments_count: int
    version: int
    """Compared with `If-Match`; increments with every edit."""
    liked: bool | None
    """None for an anonymous viewer."""
    author_id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None


class PostAuthor(NamedTuple):
    author_id: UUID


class PostText(NamedTuple):
    author_id: UUID
    body: str


class LockedPost(NamedTuple):
    author_id: UUID
    blocking: bool
    """Whether the viewer has blocked the author and therefore cannot comment."""


def post_columns(viewer_id: UUID | None, post: Entity = Post) -> tuple[ColumnElement[Any], ...]:
    """The stored columns and `liked`, which is NULL for an anonymous viewer."""
    liked = exists().where(PostLike.user_id == viewer_id, PostLike.post_id == post.id)
    is_liked = case((is_anonymous(viewer_id), null()), else_=liked)
    return (*(getattr(post, name) for name in _STORED_COLUMNS), is_liked.label("liked"))


@prepared(PostRow)
def post_by_id(post_id: UUID, viewer_id: UUID | None) -> AnySelect:
    """No row for a post that the viewer cannot see."""
    return (
        select(*post_columns(viewer_id), *AUTHOR_COLUMNS)
        .join(User, User.id == Post.author_id)
        .where(Post.id == post_id, visible_to(viewer_id))
    )


@prepared_outer(PostRow)
def posts_of(username: str, viewer_id: UUID | None, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` posts; no row if the viewer cannot see the user. `username` is folded."""
    posts = page.window(
        select(*post_columns(viewer_id)).where(Post.author_id == User.id), Post.id
    ).lateral("posts_of")
    return (
        select(posts, *AUTHOR_COLUMNS)
        .select_from(User)
        .outerjoin(posts, true())
        .where(has_username(username), visible_to(viewer_id))
    )


@prepared(PostText)
def lock_visible_post(post_id: UUID, viewer_id: UUID) -> AnySelect:
    """Lock a post against deletion; no row if the viewer cannot see it."""
    return (
        select(Post.author_id, Post.body)
        .join(User, User.id == Post.author_id)
        .where(Post.id == post_id, visible_to(viewer_id))
        .with_for_update(key_share=True, of=Post)
    )


@prepared(LockedPost)
def lock_viewable_or_blocked_post(post_id: UUID, viewer_id: UUID) -> AnySelect:
    """Lock a post whose author the viewer can see or has blocked."""
    return (
        select(Post.author_id, has_blocked(viewer_id, Post.author_id).label("blocking"))
        .join(User, User.id == Post.author_id)
        .where(Post.id == post_id, viewable_or_blocked_by(viewer_id))
        .with_for_update(key_share=True, of=Post)
    )


@prepared(PostRow)
def insert_post(
    post_id: UUID, author_id: UUID, body: str, moment: datetime, commit_before: datetime
) -> AnySelect:
    """Insert a post and update `posts_count`; no row for a suspended or deleted account.

    Fails with SQLSTATE 40001 if the post would become visible after `commit_before`.
    """
    author = (
        update(User)
        .where(User.id == author_id, User.suspended_at.is_(None))
        .values(posts_count=User.posts_count + 1)
        .returning(
            *AUTHOR_COLUMNS,
            require_commit_before(User.posts_count, commit_before).label("posts_count"),
        )
        .cte("author")
    )
    post = select(bind(post_id), author.c.author_id, bind(body), bind(moment))
    inserted = (
        insert(Post)
        .from_select(["id", "author_id", "body", "created_at"], post, include_defaults=False)
        .returning(*(getattr(Post, name) for name in _STORED_COLUMNS))
        .cte("inserted")
    )
    summary = (author.c[name] for name in ("author_id", "username", "display_name", "avatar_url"))
    return select(inserted, false().label("liked"), *summary).select_from(
        inserted.join(author, author.c.posts_count.isnot(None))
    )


@prepared(RowId)
def update_post_body(
    post_id: UUID, body: str, versions: Sequence[int] | None, moment: datetime
) -> ReturningUpdate[UUID]:
    """Replace the body; no row if it is the same, or if the post has none of the `versions`."""
    has_expected_version = or_(bind(versions).is_(None), Post.version == any_(bind(versions)))
    return (
        update(Post)
        .where(Post.id == post_id, Post.body != body, has_expected_version)
        .values(body=body, edited_at=moment, version=Post.version + 1)
        .returning(Post.id)
    )


@prepared(RowId)
def delete_post(post_id: UUID, author_id: UUID) -> AnySelect:
    """Delete the post and update `posts_count`; foreign keys cascade to its likes and comments."""
    deleted = delete(Post).where(Post.id == post_id).returning(Post.id).cte("deleted")
    decremented = (
        update(User)
        .where(User.id == author_id, exists(select(deleted.c.id)))
        .values(posts_count=User.posts_count - 1)
        .cte("decremented")
    )
    return select(deleted.c.id).add_cte(decremented)
