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
from wxc.social.posts.repository import AUTHOR_COLUMNS, PostRow, post_columns
from wxc.social.users.visibility import has_muted, visible_by_id

WALK_THRESHOLD = 500
"""Up to this many followees, the newest posts of each are fetched and merged; above it, the newest
posts of all users are read and filtered until the page is full. Measured: docs/decisions/0009.
"""


@prepared(PostRow)
def followed_posts(user_id: UUID, *, page: PageRequest, walk_threshold: int) -> AnySelect:
    """Up to `limit + 1` posts of the user and the users they follow."""
    return _posts_with_authors(_ids_of_page(user_id, page, walk_threshold), user_id)


@prepared_outer(PostRow)
def recent_posts(user_id: UUID, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` recent public posts; no row if the user follows anyone or has posted."""
    ids = page.window(
        select(Post.id).where(_is_visible_and_not_muted(user_id, Post.author_id)), Post.id
    ).lateral("ids")
    newcomer = aliased(User)
    posts = (
        select(*post_columns(user_id), *AUTHOR_COLUMNS)
        .join(User, User.id == Post.author_id)
        .where(Post.id == ids.c.id)
        .lateral("recent_posts")
    )
    return (
        select(posts)
        .select_from(newcomer)
        .outerjoin(ids, true())
        .outerjoin(posts, true())
        .where(newcomer.id == user_id, newcomer.following_count == 0, newcomer.posts_count == 0)
    )


def _ids_of_page(user_id: UUID, page: PageRequest, walk_threshold: int) -> Subquery:
    """The ids of one page; a one-time filter makes PostgreSQL execute only one of the branches."""
    followees_count = select(User.following_count).where(User.id == user_id).scalar_subquery()
    merged = _merge_newest_of_each(user_id, page, followees_count <= walk_threshold)
    walked = _walk_newest_of_all(user_id, page, followees_count > walk_threshold)
    return union_all(merged, walked).subquery("page_ids")


def _merge_newest_of_each(
    user_id: UUID, page: PageRequest, is_chosen: ColumnElement[bool]
) -> AnySelect:
    """The newest posts of each author, merged."""
    authors = union_all(
        select(type_coerce(user_id, Uuid()).label("author_id")),
        select(Follow.followed_id).where(
            Follow.follower_id == user_id, _is_visible_and_not_muted(user_id, Follow.followed_id)
        ),
    ).subquery("authors")
    newest = page.window(
        select(Post.id).where(Post.author_id == authors.c.author_id), Post.id
    ).lateral("newest")
    return page.order_and_limit(
        select(newest.c.id).select_from(authors).join(newest, true()).where(is_chosen), newest.c.id
    )


def _walk_newest_of_all(
    user_id: UUID, page: PageRequest, is_chosen: ColumnElement[bool]
) -> AnySelect:
    """The newest posts of all users, filtered by author until the page is full."""
    authors = union_all(
        select(type_coerce(user_id, Uuid()).label("author_id")),
        select(Follow.followed_id).where(Follow.follower_id == user_id),
    ).subquery("authors")
    # IS TRUE prevents the planner from rewriting IN as a join that starts at the authors.
    is_by_author_of_feed = Post.author_id.in_(select(authors.c.author_id)).is_(True)
    return page.window(
        select(Post.id).where(
            is_chosen, is_by_author_of_feed, _is_visible_and_not_muted(user_id, Post.author_id)
        ),
        Post.id,
    )


def _is_visible_and_not_muted(user_id: UUID, author_id: IdColumn) -> ColumnElement[bool]:
    return and_(visible_by_id(user_id, author_id), not_(has_muted(user_id, author_id)))


def _posts_with_authors(page_ids: Subquery, user_id: UUID) -> AnySelect:
    return (
        select(*post_columns(user_id), *AUTHOR_COLUMNS)
        .select_from(page_ids)
        .join(Post, Post.id == page_ids.c.id)
        .join(User, User.id == Post.author_id)
    )
