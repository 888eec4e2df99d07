"""SQL for feeds: which posts, in which order; then everything about them, in one statement."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    literal,
    not_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased

from wxc.core.database import AnyRow, AnySelect, Reader
from wxc.core.pagination import PageRequest
from wxc.models import Follow, Post, User
from wxc.posts.repository import AUTHOR, post_columns
from wxc.relationships.visibility import has_muted, visible_to

# Up to so many followees their newest posts are fetched one followee after the other; beyond,
# the newest posts of all are walked until enough are followed ones. Measured: see docs/decisions.
MANY_FOLLOWEES = 500


class FeedReader:
    """One member's feed."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def following(self, me_id: UUID, page: PageRequest) -> Sequence[AnyRow]:
        """Up to `limit + 1` posts of the member and those they follow."""
        skeleton = _following_skeleton(me_id, page)
        statement = _hydrated(skeleton, me_id)
        return (await self.reader.execute(statement)).all()

    async def discover(self, me_id: UUID, page: PageRequest) -> Sequence[AnyRow] | None:
        """Up to `limit + 1` recent public posts; None for who follows somebody or has written."""
        author = aliased(User)
        recent = page.window(
            select(Post.id)
            .join(author, author.id == Post.author_id)
            .where(visible_to(me_id, author), not_(has_muted(me_id, author.id))),
            Post.id,
        ).lateral("recent")
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
        rows = (await self.reader.execute(statement)).all()
        return [row for row in rows if row.id is not None] if rows else None


def _following_skeleton(me_id: UUID, page: PageRequest) -> Any:  # noqa: ANN401 - a subquery
    followee = aliased(User)
    sources = union_all(
        select(literal(me_id).label("author_id")),
        select(Follow.followed_id)
        .join(followee, followee.id == Follow.followed_id)
        .where(
            Follow.follower_id == me_id,
            visible_to(me_id, followee),
            not_(has_muted(me_id, followee.id)),
        ),
    ).cte("sources")
    many = select(User.following_count > MANY_FOLLOWEES).where(User.id == me_id).scalar_subquery()
    newest = page.window(
        select(Post.id).where(Post.author_id == sources.c.author_id), Post.id
    ).lateral("newest")
    per_source = page.window(
        select(newest.c.id).select_from(sources).join(newest, true()).where(not_(many)),
        newest.c.id,
    )
    # IS TRUE keeps the planner from turning the test into a join that starts at the followees.
    is_followed: ColumnElement[bool] = Post.author_id.in_(select(sources.c.author_id)).is_(True)
    walked = page.window(select(Post.id).where(and_(is_followed, many)), Post.id)
    return union_all(per_source, walked).subquery("skeleton")


def _hydrated(skeleton: Any, me_id: UUID) -> AnySelect:  # noqa: ANN401 - a subquery
    return (
        select(*post_columns(me_id), *AUTHOR)
        .select_from(skeleton)
        .join(Post, Post.id == skeleton.c.id)
        .join(User, User.id == Post.author_id)
    )
