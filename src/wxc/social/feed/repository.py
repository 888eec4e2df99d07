"""SQL for feeds: which posts, in which order; then everything about them, in one statement."""

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

from wxc.db.keyset import AnySelect, IdColumn, PageRequest
from wxc.db.prepared import prepared, prepared_outer
from wxc.models import Follow, Post, User
from wxc.social.posts.repository import AUTHOR, PostRow, post_columns
from wxc.social.users.visibility import has_muted, visible_by_id

# Up to so many followees their newest posts are fetched one followee after the other; beyond,
# the newest posts of all are walked until enough are followed ones. Measured: see docs/decisions.
MANY_FOLLOWEES = 500


@prepared(PostRow)
def posts_followed(me_id: UUID, *, page: PageRequest, many: int) -> AnySelect:
    """Up to `limit + 1` posts of the member and those they follow."""
    return _hydrated(_following_skeleton(me_id, page, many), me_id)


@prepared_outer(PostRow)
def posts_to_discover(me_id: UUID, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` recent public posts; no row if the user follows anyone or has posted."""
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
    return (
        select(posts)
        .select_from(newcomer)
        .outerjoin(recent, true())
        .outerjoin(posts, true())
        .where(newcomer.id == me_id, newcomer.following_count == 0, newcomer.posts_count == 0)
    )


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
    return page.order_and_limit(
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
