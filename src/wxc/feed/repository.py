"""SQL for feeds: which posts, in which order; then everything about them, in one statement."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Subquery,
    Uuid,
    and_,
    not_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import aliased

from wxc.core.database import AnySelect, IdColumn, Reader
from wxc.db.keyset import PageRequest
from wxc.core.statements import Fixed, built_once
from wxc.models import Follow, Post, User
from wxc.posts.repository import AUTHOR, PostRow, post_columns
from wxc.users.visibility import has_muted, visible_by_id

# Up to so many followees their newest posts are fetched one followee after the other; beyond,
# the newest posts of all are walked until enough are followed ones. Measured: see docs/decisions.
MANY_FOLLOWEES = 500


class FeedReader:
    """One member's feed."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def following(self, me_id: UUID, page: PageRequest) -> Sequence[PostRow]:
        """Up to `limit + 1` posts of the member and those they follow."""
        statement = _following(me_id, page, Fixed(MANY_FOLLOWEES))
        return [PostRow._make(row) for row in (await self.reader.execute(*statement)).all()]

    async def discover(self, me_id: UUID, page: PageRequest) -> Sequence[PostRow] | None:
        """Up to `limit + 1` recent public posts; None for who follows somebody or has written."""
        rows = (await self.reader.execute(*_discover(me_id, page))).all()
        return [PostRow.of(row) for row in rows if row.id is not None] if rows else None


@built_once
def _following(me_id: UUID, page: PageRequest, many: int) -> AnySelect:
    return _hydrated(_following_skeleton(me_id, page, many), me_id)


@built_once
def _discover(me_id: UUID, page: PageRequest) -> AnySelect:
    recent = page.window(select(Post.id).where(_is_heard(me_id, Post.author_id)), Post.id).lateral(
        "recent"
    )
    newcomer = aliased(User)
    posts = (
        select(*post_columns(me_id), *AUTHOR)
        .join(User, User.id == Post.author_id)
        .where(Post.id == recent.c.id)
        .lateral("posts_recent")
    )
    statement: AnySelect = (
        select(posts)
        .select_from(newcomer)
        .outerjoin(recent, true())
        .outerjoin(posts, true())
        .where(newcomer.id == me_id, newcomer.following_count == 0, newcomer.posts_count == 0)
    )
    return statement


def _following_skeleton(me_id: UUID, page: PageRequest, many: int) -> Subquery:
    """The ids of one page; a one-time filter leaves the branch that does not apply unexecuted."""
    followees = select(User.following_count).where(User.id == me_id).scalar_subquery()
    pulled = _pulled(me_id, page, followees <= many)
    walked = _walked(me_id, page, followees > many)
    return union_all(pulled, walked).subquery("skeleton")


def _pulled(me_id: UUID, page: PageRequest, applies: ColumnElement[bool]) -> AnySelect:
    """The newest posts of each source, then the newest of those."""
    sources = union_all(
        select(type_coerce(me_id, Uuid()).label("author_id")),
        select(Follow.followed_id).where(
            Follow.follower_id == me_id, _is_heard(me_id, Follow.followed_id)
        ),
    ).subquery("sources")
    newest = page.window(
        select(Post.id).where(Post.author_id == sources.c.author_id), Post.id
    ).lateral("newest")
    return page.head(
        select(newest.c.id).select_from(sources).join(newest, true()).where(applies), newest.c.id
    )


def _walked(me_id: UUID, page: PageRequest, applies: ColumnElement[bool]) -> AnySelect:
    """The newest posts of all, until enough of them are by sources."""
    sources = union_all(
        select(type_coerce(me_id, Uuid()).label("author_id")),
        select(Follow.followed_id).where(Follow.follower_id == me_id),
    ).subquery("followed")
    # IS TRUE keeps the planner from turning the test into a join that starts at the sources.
    is_by_source = Post.author_id.in_(select(sources.c.author_id)).is_(True)
    return page.window(
        select(Post.id).where(applies, is_by_source, _is_heard(me_id, Post.author_id)),
        Post.id,
    )


def _is_heard(me_id: UUID, author_id: IdColumn) -> ColumnElement[bool]:
    """Whether what the author writes belongs into my feed."""
    return and_(visible_by_id(me_id, author_id), not_(has_muted(me_id, author_id)))


def _hydrated(skeleton: Subquery, me_id: UUID) -> AnySelect:
    return (
        select(*post_columns(me_id), *AUTHOR)
        .select_from(skeleton)
        .join(Post, Post.id == skeleton.c.id)
        .join(User, User.id == Post.author_id)
    )
