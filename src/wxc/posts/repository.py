"""SQL for posts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    String,
    Uuid,
    delete,
    exists,
    false,
    insert,
    null,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core import clock, database
from wxc.core.database import (
    AnyEntity,
    AnyRow,
    AnySelect,
    Reader,
    Writer,
    refusing_late,
    unless_late,
)
from wxc.core.etags import Versions
from wxc.db.keyset import PageRequest
from wxc.core.statements import built_once
from wxc.models import Post, PostLike, User
from wxc.users.repository import named, summary
from wxc.users.visibility import has_blocked, known_to, visible_to

_WRITTEN = ("id", "body", "created_at", "edited_at", "likes_count", "comments_count")
AUTHOR = summary(id_name="author_id")
"""The author's `UserSummary` in a row of posts."""


class PostRow(NamedTuple):
    """A post and its author: what `post_columns` and `AUTHOR` select, in this order.

    Lists are full of these; to read a name of them costs a tenth of what it does of a `Row`.
    """

    id: UUID
    body: str
    created_at: datetime
    edited_at: datetime | None
    likes_count: int
    comments_count: int
    liked: bool | None
    author_id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None

    @classmethod
    def of(cls, row: AnyRow) -> Self:
        """The row, which may have further columns."""
        return cls._make(row[: len(cls._fields)])


def post_columns(viewer_id: UUID | None, post: AnyEntity = Post) -> tuple[ColumnElement[Any], ...]:
    """The columns that `Post` is built from; `liked` is NULL for nobody."""
    liked: ColumnElement[Any] = null()
    if viewer_id is not None:
        liked = exists().where(PostLike.user_id == viewer_id, PostLike.post_id == post.id)
    return (*(getattr(post, name) for name in _WRITTEN), liked.label("liked"))


class PostReader:
    """Posts as a viewer may see them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def visible(self, post_id: UUID, viewer_id: UUID | None) -> AnyRow | None:
        """One post with its author and its version."""
        return (await self.reader.execute(*_visible(post_id, viewer_id))).one_or_none()

    async def of(
        self, username: str, viewer_id: UUID | None, page: PageRequest
    ) -> Sequence[PostRow] | None:
        """Up to `limit + 1` posts of that member; None when nobody is found."""
        rows = (await self.reader.execute(*_posts_of(username, viewer_id, page))).all()
        return [PostRow.of(row) for row in rows if row.id is not None] if rows else None


@built_once
def _visible(post_id: UUID, viewer_id: UUID | None) -> AnySelect:
    return (
        select(*post_columns(viewer_id), *AUTHOR, Post.version)
        .join(User, User.id == Post.author_id)
        .where(Post.id == post_id, visible_to(viewer_id))
    )


@built_once
def _posts_of(username: str, viewer_id: UUID | None, page: PageRequest) -> AnySelect:
    posts = page.window(
        select(*post_columns(viewer_id)).where(Post.author_id == User.id), Post.id
    ).lateral("posts_of")
    # The outer join keeps one empty row for somebody who is there but has not written.
    statement: AnySelect = (
        select(posts, *AUTHOR)
        .select_from(User)
        .outerjoin(posts, true())
        .where(named(username), visible_to(viewer_id))
    )
    return statement


@built_once
def _known(post_id: UUID, viewer_id: UUID) -> AnySelect:
    statement: AnySelect = (
        select(Post.author_id, has_blocked(viewer_id, Post.author_id).label("blocking"))
        .join(User, User.id == Post.author_id)
        .where(Post.id == post_id, known_to(viewer_id))
        .with_for_update(key_share=True, of=Post)
    )
    return statement


class NewPostRepository:
    """Publishes posts: each in one statement, which may be a transaction by itself."""

    def __init__(self, write: Writer) -> None:
        self.write = write

    async def add(self, post_id: UUID, author_id: UUID, body: str) -> PostRow | None:
        """The new post, counted; None when the account has gone.

        Raises `Retry` where it took too long to count it.
        """
        with refusing_late():
            moment = clock.now()
            latest = moment + database.LATEST_COMMIT
            statement = _added(post_id, author_id, body, moment, latest)
            row = (await self.write.execute(*statement)).one_or_none()
        return None if row is None else PostRow.of(row)


@built_once
def _added(
    post_id: UUID, author_id: UUID, body: str, moment: datetime, latest: datetime
) -> AnySelect:
    counted = (
        update(User)
        .where(User.id == author_id, User.suspended_at.is_(None))
        .values(posts_count=User.posts_count + 1)
        .returning(*AUTHOR, unless_late(User.posts_count, latest).label("posts_count"))
        .cte("counted")
    )
    post = select(
        type_coerce(post_id, Uuid()),
        counted.c.author_id,
        type_coerce(body, String()),
        type_coerce(moment, DateTime(timezone=True)),
    )
    added = (
        insert(Post)
        .from_select(["id", "author_id", "body", "created_at"], post, include_defaults=False)
        .returning(*(getattr(Post, name) for name in _WRITTEN))
        .cte("added")
    )
    statement: AnySelect = select(added, false().label("liked"), counted)
    return statement.select_from(added.join(counted, true()))


class PostRepository:
    """Changes posts."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def lock_visible(self, post_id: UUID, viewer_id: UUID) -> UUID | None:
        """Who wrote the post, if the viewer may see it; the row is locked."""
        statement = (
            select(Post.author_id)
            .join(User, User.id == Post.author_id)
            .where(Post.id == post_id, visible_to(viewer_id))
            .with_for_update(key_share=True, of=Post)
        )
        return (await self.session.execute(statement)).scalar_one_or_none()

    async def lock_known(self, post_id: UUID, viewer_id: UUID) -> AnyRow | None:
        """`(author_id, blocking)` of the locked post, for who is to act on it.

        None where the author is not there for the viewer; whom the viewer has blocked is found.
        """
        return (await self.session.execute(*_known(post_id, viewer_id))).one_or_none()

    async def replace_body(
        self, post_id: UUID, body: str, versions: Versions, *, moment: datetime
    ) -> bool:
        """Put `body` in place of what was written; False when that is none of `versions`."""
        statement = (
            update(Post)
            .where(Post.id == post_id)
            .values(body=body, edited_at=moment, version=Post.version + 1)
            .returning(Post.id)
        )
        if versions is not None:
            statement = statement.where(Post.version.in_(versions))
        return (await self.session.execute(statement)).scalar_one_or_none() is not None

    async def remove(self, post_id: UUID, author_id: UUID) -> None:
        """Delete the post with all that hangs on it, and count one less."""
        removed = delete(Post).where(Post.id == post_id).returning(Post.id).cte("removed")
        await self.session.execute(
            update(User)
            .where(User.id == author_id, exists(select(removed.c.id)))
            .values(posts_count=User.posts_count - 1)
        )
