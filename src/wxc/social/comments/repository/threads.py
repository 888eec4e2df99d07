from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
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
from wxc.social.comments.repository.visibility import is_author_visible, visible_comment
from wxc.social.comments.threads import MAX_ITEMS, ThreadShape
from wxc.social.users.visibility import visible_to


class ThreadNode(NamedTuple):
    """A comment of a page; rows are in pre-order."""

    id: UUID
    parent_id: UUID | None
    """None on the top level of the page."""
    relative_depth: int
    """0 on the top level of the page, 1 for replies to it, and so on."""
    top_level_count: int
    """The number of comments read on the top level; `limit + 1` if there are more."""


@prepared_outer(ThreadNode)
def thread_of(
    post_id: UUID,
    viewer_id: UUID | None,
    depth: int,
    branch: int,
    *,
    page: PageRequest,
    oldest_first: bool,
    inline_sizes: tuple[int, int] | None,
) -> AnySelect:
    """A page of a post's thread; no row for an invisible post.

    If `inline_sizes` is not None, it replaces `depth` and `branch` with inline literals. With a
    variant for each combination, clients could make us compile 2,100 statements of 50 ms each.
    """
    post = select(Post.id.label("subject_id")).join(User, User.id == Post.author_id)
    post = post.where(Post.id == post_id, visible_to(viewer_id))
    is_top_level = (Comment.post_id == post_id) & Comment.parent_id.is_(None)
    shape = ThreadShape(oldest_first, *(inline_sizes or (depth, branch)))
    return _select_nodes(post.subquery("subject"), _tree(is_top_level, viewer_id, page, shape))


@prepared_outer(ThreadNode)
def replies_to(
    comment_id: UUID,
    viewer_id: UUID | None,
    depth: int,
    branch: int,
    *,
    page: PageRequest,
    oldest_first: bool,
    inline_sizes: tuple[int, int] | None,
) -> AnySelect:
    """A page of the replies to a comment; no row for an invisible comment. See `thread_of`."""
    comment = visible_comment(select(Comment.id.label("subject_id")), comment_id, viewer_id)
    is_reply = Comment.parent_id == comment_id
    shape = ThreadShape(oldest_first, *(inline_sizes or (depth, branch)))
    return _select_nodes(comment.subquery("subject"), _tree(is_reply, viewer_id, page, shape))


def _select_nodes(subject: Subquery, tree: Subquery) -> AnySelect:
    statement: AnySelect = select(
        tree.c.id, tree.c.parent_id, tree.c.relative_depth, tree.c.top_level_count
    )
    return statement.select_from(subject).outerjoin(tree, true()).order_by(tree.c.path)


def _tree(
    is_top_level: ColumnElement[bool], viewer_id: UUID | None, page: PageRequest, shape: ThreadShape
) -> Subquery:
    """The first 500 comments of a page; `path`, an array of ordinals, sorts them in pre-order.

    To bound the work, each level reads the replies of at most 500 comments and keeps at most 500 of
    them: a comment after 500 others of its level cannot be among the first 500 of the page.
    """
    tree = _top_level(is_top_level, viewer_id, page).cte("tree", recursive=True)
    is_on_page = tree.c.path[1] <= page.limit  # excludes the extra row, number limit + 1
    parents = (
        select(tree)
        .where(tree.c.relative_depth < shape.depth, tree.c.children_count > 0, is_on_page)
        .order_by(tree.c.path)
        .limit(MAX_ITEMS)
        .subquery("parents")
    )
    replies = _replies_of(parents.c.id, viewer_id, shape).lateral("replies")
    level = (
        select(
            replies.c.id,
            parents.c.id.label("parent_id"),
            replies.c.children_count,
            parents.c.relative_depth + 1,
            func.array_append(parents.c.path, replies.c.ordinal, type_=ARRAY(Integer())),
            parents.c.top_level_count,
        )
        .join_from(parents, replies, true())
        # No ORDER BY: a LATERAL nested loop preserves both orders and stops at the limit.
        .limit(MAX_ITEMS)
        .subquery("level")
    )
    return _first_items(tree.union_all(select(level)), page)


def _first_items(tree: CTE, page: PageRequest) -> Subquery:
    columns = (tree.c[name] for name in (*ThreadNode._fields, "path"))
    listed = select(*columns).where(tree.c.path[1] <= page.limit)
    return listed.order_by(tree.c.path).limit(MAX_ITEMS).subquery("listed")


def _top_level(
    is_top_level: ColumnElement[bool], viewer_id: UUID | None, page: PageRequest
) -> AnySelect:
    comments = page.window(
        select(Comment.id, Comment.children_count).where(
            is_top_level, is_author_visible(viewer_id, Comment)
        ),
        Comment.id,
    ).subquery("comments")
    return select(
        comments.c.id,
        cast(null(), Uuid()).label("parent_id"),
        comments.c.children_count,
        literal(0).label("relative_depth"),
        array([_ordinal(comments.c.id, ascends=page.ascends)]).label("path"),
        func.count().over().label("top_level_count"),
    )


def _replies_of(
    parent_id: ColumnElement[UUID], viewer_id: UUID | None, shape: ThreadShape
) -> AnySelect:
    reply = aliased(Comment)
    oldest_first = shape.oldest_first
    return (
        select(
            reply.id,
            reply.children_count,
            _ordinal(reply.id, ascends=oldest_first).label("ordinal"),
        )
        .where(reply.parent_id == parent_id, is_author_visible(viewer_id, reply))
        .order_by(reply.id.asc() if oldest_first else reply.id.desc())
        .limit(shape.branch)
    )


def _ordinal(key: IdColumn, *, ascends: bool) -> ColumnElement[int]:
    order = key.asc() if ascends else key.desc()
    return cast(func.row_number().over(order_by=order), Integer())
