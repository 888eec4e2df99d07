"""SQL that reads the skeleton of a thread: which comments a page lists, in pre-order."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Subquery,
    Uuid,
    cast,
    func,
    literal,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased

from wxc.db.keyset import AnySelect, IdColumn, PageRequest
from wxc.db.prepared import prepared_outer
from wxc.models import Comment, Post, User
from wxc.social.comments.repository.sight import in_sight, is_author_visible
from wxc.social.comments.threads import MAX_ITEMS
from wxc.social.users.visibility import visible_to


class ThreadNode(NamedTuple):
    """A comment of a page."""

    id: UUID
    parent_id: UUID | None
    """None on the first level of the page."""
    level: int
    """0 for the comments that the page is a list of, one more for each level of replies."""
    first_level_count: int
    """How many comments of level 0 were found: one more than the limit if more follow."""


class _Bounds(NamedTuple):
    """The order on every level, how many levels of replies, how many replies of each comment."""

    oldest_first: bool
    depth: int
    branch: int


@prepared_outer(ThreadNode)
def thread_of(
    post_id: UUID,
    viewer_id: UUID | None,
    depth: int,
    branch: int,
    *,
    page: PageRequest,
    oldest_first: bool,
    fixed_sizes: tuple[int, int] | None,
) -> AnySelect:
    """A page of a post's thread; no row for an invisible post.

    `fixed_sizes` is written into the statement in place of `depth` and `branch`. Each combination
    as a statement of its own would let clients compile 2,100 of them, 50 ms each.
    """
    post = select(Post.id.label("subject_id")).join(User, User.id == Post.author_id)
    post = post.where(Post.id == post_id, visible_to(viewer_id))
    is_top = (Comment.post_id == post_id) & Comment.parent_id.is_(None)
    bounds = _Bounds(oldest_first, *(fixed_sizes or (depth, branch)))
    return _below(post.subquery("subject"), _tree(is_top, viewer_id, page, bounds))


@prepared_outer(ThreadNode)
def replies_to(
    comment_id: UUID,
    viewer_id: UUID | None,
    depth: int,
    branch: int,
    *,
    page: PageRequest,
    oldest_first: bool,
    fixed_sizes: tuple[int, int] | None,
) -> AnySelect:
    """A page of the replies to a comment; no row for an invisible one. Sizes as `thread_of`."""
    comment = in_sight(select(Comment.id.label("subject_id")), comment_id, viewer_id)
    is_reply = Comment.parent_id == comment_id
    bounds = _Bounds(oldest_first, *(fixed_sizes or (depth, branch)))
    return _below(comment.subquery("subject"), _tree(is_reply, viewer_id, page, bounds))


def _below(subject: Subquery, tree: Subquery) -> AnySelect:
    statement: AnySelect = select(
        tree.c.id, tree.c.parent_id, tree.c.level, tree.c.first_level_count
    )
    return statement.select_from(subject).outerjoin(tree, true()).order_by(tree.c.path)


def _tree(
    is_first: ColumnElement[bool], viewer_id: UUID | None, page: PageRequest, bounds: _Bounds
) -> Subquery:
    """The first 500 comments of a page; `path` holds ordinals: the place in pre-order.

    Each level expands no more than 500 comments and keeps no more than 500: those before which
    there are 500 others of their level are beyond the answer's end, so the work is bounded.
    """
    tree = _first_level(is_first, viewer_id, page).cte("tree", recursive=True)
    is_of_page = tree.c.path[1] <= page.limit  # the one after the limit only shows that more follow
    parents = (
        select(tree)
        .where(tree.c.level < bounds.depth, tree.c.children_count > 0, is_of_page)
        .order_by(tree.c.path)
        .limit(MAX_ITEMS)
        .subquery("parents")
    )
    replies = _replies_of(parents.c.id, viewer_id, bounds).lateral("replies")
    level = (
        select(
            replies.c.id,
            parents.c.id.label("parent_id"),
            replies.c.children_count,
            parents.c.level + 1,
            func.array_append(parents.c.path, replies.c.ordinal, type_=ARRAY(Integer())),
            parents.c.first_level_count,
        )
        .join_from(parents, replies, true())
        # No ORDER BY: LATERAL is a nested loop, which keeps the order of both and stops in time.
        .limit(MAX_ITEMS)
        .subquery("level")
    )
    tree = tree.union_all(select(level))
    is_of_page = tree.c.path[1] <= page.limit
    columns = (tree.c.id, tree.c.parent_id, tree.c.level, tree.c.first_level_count, tree.c.path)
    listed = select(*columns).where(is_of_page)
    return listed.order_by(tree.c.path).limit(MAX_ITEMS).subquery("listed")


def _first_level(
    is_first: ColumnElement[bool], viewer_id: UUID | None, page: PageRequest
) -> AnySelect:
    """The comments that the page is a list of."""
    first = page.window(
        select(Comment.id, Comment.children_count).where(
            is_first, is_author_visible(viewer_id, Comment)
        ),
        Comment.id,
    ).subquery("first")
    return select(
        first.c.id,
        cast(null(), Uuid()).label("parent_id"),
        first.c.children_count,
        literal(0).label("level"),
        array([_ordinal(first.c.id, ascends=page.ascends)]).label("path"),
        func.count().over().label("first_level_count"),
    )


def _replies_of(
    parent_id: ColumnElement[UUID], viewer_id: UUID | None, bounds: _Bounds
) -> AnySelect:
    """The first replies of a comment, numbered."""
    reply = aliased(Comment)
    oldest_first = bounds.oldest_first
    return (
        select(
            reply.id,
            reply.children_count,
            _ordinal(reply.id, ascends=oldest_first).label("ordinal"),
        )
        .where(reply.parent_id == parent_id, is_author_visible(viewer_id, reply))
        .order_by(reply.id.asc() if oldest_first else reply.id.desc())
        .limit(bounds.branch)
    )


def _ordinal(key: IdColumn, *, ascends: bool) -> ColumnElement[int]:
    order = key.asc() if ascends else key.desc()
    return cast(func.row_number().over(order_by=order), Integer())
