"""SQL that reads threads: the skeleton, then everything about what it lists."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Subquery,
    Uuid,
    case,
    cast,
    column,
    false,
    func,
    literal,
    null,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased

from wxc.comments.repository.sight import in_sight, is_shown
from wxc.comments.threads import (
    DEFAULT_BRANCH,
    DEFAULT_DEPTH,
    MOST_ITEMS,
    Shape,
    ThreadRequest,
)
from wxc.core.database import AnyRow, AnySelect, IdColumn, Reader, rows_of
from wxc.core.statements import Fixed, built_once
from wxc.db.keyset import PageRequest
from wxc.models import Comment, CommentLike, Post, User
from wxc.posts.repository import AUTHOR
from wxc.users.visibility import visible_to

_LEAST, _GREATEST = UUID(int=0), UUID(int=(1 << 128) - 1)
_WRITTEN = (
    Comment.id,
    Comment.post_id,
    Comment.parent_id,
    Comment.depth,
    Comment.body,
    Comment.deleted_at,
    Comment.created_at,
    Comment.edited_at,
    Comment.likes_count,
    Comment.replies_count,
)


class Listed(NamedTuple):
    """A comment of an answer, the last of its replies there, and how many of them there are."""

    id: UUID
    last: UUID | None
    replies: int


class _Bounds(NamedTuple):
    """A `Shape` inside of a statement: its numbers may be parameters there."""

    oldest_first: bool
    depth: int
    branch: int


class CommentReader:
    """Comments as a viewer may see them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def thread(
        self, viewer_id: UUID | None, request: ThreadRequest
    ) -> Sequence[AnyRow] | None:
        """The skeleton of a page of the post's thread; None for a post that is not visible."""
        statement = _thread(request.subject_id, viewer_id, request.page, *_sizes(request.shape))
        return await self._skeleton(*statement)

    async def replies(
        self, viewer_id: UUID | None, request: ThreadRequest
    ) -> Sequence[AnyRow] | None:
        """The same for the replies of a comment; None for one that is not visible."""
        statement = _replies(request.subject_id, viewer_id, request.page, *_sizes(request.shape))
        return await self._skeleton(*statement)

    async def hydrated(
        self, listed: Sequence[Listed], viewer_id: UUID | None, *, oldest_first: bool
    ) -> Sequence[AnyRow]:
        """All about those that are still there, in any order; `has_more`: replies not listed."""
        ids, lasts, replies = (list(values) for values in zip(*listed, strict=True))
        statement = _hydrated(ids, lasts, replies, viewer_id, oldest_first=oldest_first)
        return rows_of(await self.reader.execute(*statement))

    async def visible(
        self, comment_id: UUID, viewer_id: UUID | None, *, oldest_first: bool
    ) -> AnyRow | None:
        """One comment with its author, as `hydrated` has it."""
        statement = _visible(comment_id, viewer_id, oldest_first=oldest_first)
        return (await self.reader.execute(*statement)).one_or_none()

    async def _skeleton(
        self, statement: AnySelect, parameters: Mapping[str, Any]
    ) -> Sequence[AnyRow] | None:
        """`(id, parent_id, level, firsts)` in pre-order; one row without id if nothing is there."""
        rows = rows_of(await self.reader.execute(statement, parameters))
        return [row for row in rows if row.id is not None] if rows else None


def _sizes(shape: Shape) -> tuple[bool, int, int]:
    """Order, depth and branch; depth and branch are parameters unless both have their defaults.

    Each combination as a statement of its own would let clients compile 2,100 of them, 50 ms each.
    """
    if (shape.depth, shape.branch) == (DEFAULT_DEPTH, DEFAULT_BRANCH):
        return shape.oldest_first, Fixed(DEFAULT_DEPTH), Fixed(DEFAULT_BRANCH)
    return shape.oldest_first, shape.depth, shape.branch


@built_once
def _thread(
    post_id: UUID,
    viewer_id: UUID | None,
    page: PageRequest,
    oldest_first: bool,
    depth: int,
    branch: int,
) -> AnySelect:
    post = select(Post.id.label("subject_id")).join(User, User.id == Post.author_id)
    post = post.where(Post.id == post_id, visible_to(viewer_id))
    is_top = (Comment.post_id == post_id) & Comment.parent_id.is_(None)
    bounds = _Bounds(oldest_first, depth, branch)
    return _below(post.subquery("subject"), _tree(is_top, viewer_id, page, bounds))


@built_once
def _replies(
    comment_id: UUID,
    viewer_id: UUID | None,
    page: PageRequest,
    oldest_first: bool,
    depth: int,
    branch: int,
) -> AnySelect:
    comment = in_sight(select(Comment.id.label("subject_id")), comment_id, viewer_id)
    is_reply = Comment.parent_id == comment_id
    bounds = _Bounds(oldest_first, depth, branch)
    return _below(comment.subquery("subject"), _tree(is_reply, viewer_id, page, bounds))


@built_once
def _visible(comment_id: UUID, viewer_id: UUID | None, *, oldest_first: bool) -> AnySelect:
    has_more = _has_reply_beyond(null(), viewer_id, oldest_first=oldest_first)
    statement = select(*_columns(viewer_id), has_more.label("has_more"))
    return in_sight(statement, comment_id, viewer_id)


@built_once
def _hydrated(
    ids: Sequence[UUID],
    lasts: Sequence[UUID | None],
    replies: Sequence[int],
    viewer_id: UUID | None,
    *,
    oldest_first: bool,
) -> AnySelect:
    nodes = (
        func.unnest(
            type_coerce(ids, ARRAY(Uuid())),
            type_coerce(lasts, ARRAY(Uuid())),
            type_coerce(replies, ARRAY(Integer())),
        )
        .table_valued(column("id", Uuid()), column("last", Uuid()), column("replies", Integer()))
        .render_derived("listed")
    )
    beyond = _has_reply_beyond(nodes.c.last, viewer_id, oldest_first=oldest_first)
    has_more = case((Comment.children_count > nodes.c.replies, beyond), else_=false())
    statement: AnySelect = (
        select(*_columns(viewer_id), has_more.label("has_more"))
        .select_from(nodes)
        .join(Comment, Comment.id == nodes.c.id)
        .outerjoin(User, User.id == Comment.author_id)
    )
    return statement


def _below(subject: Subquery, tree: Subquery) -> AnySelect:
    """The outer join keeps one empty row for a subject that nobody has commented on."""
    statement: AnySelect = (
        select(tree).select_from(subject).outerjoin(tree, true()).order_by(tree.c.path)
    )
    return statement


def _tree(
    is_first: ColumnElement[bool], viewer_id: UUID | None, page: PageRequest, bounds: _Bounds
) -> Subquery:
    """The first 500 comments of a page, with the way to each as ordinals: its place in pre-order.

    Each level expands no more than 500 comments and keeps no more than 500: those before which
    there are 500 others of their level are beyond the answer's end, so the work is bounded.
    """
    tree = _first_level(is_first, viewer_id, page).cte("tree", recursive=True)
    is_of_page = tree.c.path[1] <= page.limit  # the one after the limit only tells of more
    parents = (
        select(tree)
        .where(tree.c.level < bounds.depth, tree.c.children_count > 0, is_of_page)
        .order_by(tree.c.path)
        .limit(MOST_ITEMS)
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
            parents.c.firsts,
        )
        .join_from(parents, replies, true())
        # No ORDER BY: LATERAL is a nested loop, which keeps the order of both and stops in time.
        .limit(MOST_ITEMS)
        .subquery("level")
    )
    tree = tree.union_all(select(level))
    is_of_page = tree.c.path[1] <= page.limit
    listed = select(tree.c.id, tree.c.parent_id, tree.c.level, tree.c.firsts, tree.c.path)
    return listed.where(is_of_page).order_by(tree.c.path).limit(MOST_ITEMS).subquery("listed")


def _first_level(
    is_first: ColumnElement[bool], viewer_id: UUID | None, page: PageRequest
) -> AnySelect:
    """The comments that the page is a list of; `firsts` counts them, one more at most."""
    first = page.window(
        select(Comment.id, Comment.children_count).where(is_first, is_shown(viewer_id, Comment)),
        Comment.id,
    ).subquery("first")
    return select(
        first.c.id,
        cast(null(), Uuid()).label("parent_id"),
        first.c.children_count,
        literal(0).label("level"),
        array([_ordinal(first.c.id, ascends=page.ascends)]).label("path"),
        func.count().over().label("firsts"),
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
        .where(reply.parent_id == parent_id, is_shown(viewer_id, reply))
        .order_by(reply.id.asc() if oldest_first else reply.id.desc())
        .limit(bounds.branch)
    )


def _ordinal(key: IdColumn, *, ascends: bool) -> ColumnElement[int]:
    order = key.asc() if ascends else key.desc()
    return cast(func.row_number().over(order_by=order), Integer())


def _columns(viewer_id: UUID | None) -> tuple[Any, ...]:
    """The columns that `Comment` is built from; `liked` is NULL for nobody."""
    liked: ColumnElement[Any] = null()
    if viewer_id is not None:
        # Not EXISTS, for which the planner may read all that the viewer has ever liked.
        like = select(true()).where(
            CommentLike.user_id == viewer_id, CommentLike.comment_id == Comment.id
        )
        liked = func.coalesce(like.scalar_subquery(), false())
    return (*_WRITTEN, *AUTHOR, liked.label("liked"))


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
            is_shown(viewer_id, reply),
        )
        .correlate_except(reply)
        .exists()
    )
