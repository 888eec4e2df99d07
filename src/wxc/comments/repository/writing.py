"""SQL that changes threads.

Whoever changes the shape of a thread holds its post's row, then the comments; so two of them take
turns, and what is read after the first lock stays true.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import CTE, case, delete, insert, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from wxc.comments.repository.sight import below_sight
from wxc.core import clock
from wxc.core.database import AnyRow, AnySelect, draw_id
from wxc.core.statements import built_once
from wxc.models import Comment, CommentLike, IdempotencyKey, Post, User
from wxc.posts.repository import AUTHOR
from wxc.users.visibility import has_blocked, known_to


@built_once
def _known(comment_id: UUID, viewer_id: UUID) -> AnySelect:
    statement: AnySelect = select(
        Comment.id,
        Comment.post_id,
        Comment.parent_id,
        Comment.depth,
        Comment.author_id,
        Comment.children_count,
        Comment.likes_count,
        Comment.deleted_at.isnot(None).label("is_deleted"),
        has_blocked(viewer_id, User.id).label("blocking"),
    )
    return (
        below_sight(statement, comment_id, viewer_id)
        .where(or_(Comment.author_id.is_(None), known_to(viewer_id)))
        .with_for_update(key_share=True, of=Comment)
    )


@built_once
def _added(
    new_id: UUID,
    writer_id: UUID,
    below_id: UUID,
    answered_id: UUID | None,
    level: int,
    words: str,
    moment: datetime,
) -> AnySelect:
    # A parameter may not have the name of a column that is written.
    values = {
        "id": new_id,
        "post_id": below_id,
        "parent_id": null() if answered_id is None else answered_id,
        "depth": level,
        "author_id": writer_id,
        "body": words,
        "created_at": moment,
    }
    added = insert(Comment).values(values).returning(Comment).cte("added")
    statement: AnySelect = (
        select(added, *AUTHOR).join(User, User.id == added.c.author_id).add_cte(_count(below_id, 1))
    )
    if answered_id is not None:
        replied = (
            update(Comment)
            .where(Comment.id == answered_id)
            .values(
                replies_count=Comment.replies_count + 1,
                children_count=Comment.children_count + 1,
            )
        )
        statement = statement.add_cte(replied.cte("replied"))
    return statement


class CommentRepository:
    """Writes comments and counts them."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def lock_post_of(self, comment_id: UUID) -> UUID | None:
        """Who wrote the post that the comment is under; its row is locked."""
        post_id = select(Comment.post_id).where(Comment.id == comment_id).scalar_subquery()
        statement = select(Post.author_id).where(Post.id == post_id).with_for_update(key_share=True)
        return (await self.session.execute(statement)).scalar_one_or_none()

    async def hold_post_of(self, comment_id: UUID) -> None:
        """Keep the post that the comment is under from being deleted: first it, then its thread."""
        post_id = select(Comment.post_id).where(Comment.id == comment_id).scalar_subquery()
        held = select(Post.id).where(Post.id == post_id)
        await self.session.execute(held.with_for_update(read=True, key_share=True))

    async def lock(self, comment_id: UUID, viewer_id: UUID) -> AnyRow | None:
        """The locked comment, for who is to act on it; `blocking`: they have blocked its author.

        None where it is not there for the viewer; one by whom they have blocked is found.
        """
        return (await self.session.execute(*_known(comment_id, viewer_id))).one_or_none()

    async def lock_posts_commented_by(self, author_id: UUID, most: int) -> Sequence[UUID]:
        """Up to `most` comments of the member, the latest first; their posts' rows are locked."""
        said = select(Comment.id, Comment.post_id).where(Comment.author_id == author_id)
        rows = (await self.session.execute(said.order_by(Comment.id.desc()).limit(most))).all()
        await self.session.execute(
            select(Post.id)
            .where(Post.id.in_({row.post_id for row in rows}))
            .order_by(Post.id)
            .with_for_update(key_share=True)
        )
        return [row.id for row in rows]

    async def lock_unseen(self, comment_id: UUID) -> AnyRow | None:
        """The locked comment, whoever may see it, for `bury` and `remove`."""
        statement = (
            select(
                Comment.id,
                Comment.post_id,
                Comment.parent_id,
                Comment.author_id,
                Comment.children_count,
                Comment.deleted_at.isnot(None).label("is_deleted"),
            )
            .where(Comment.id == comment_id)
            .with_for_update(key_share=True)
        )
        return (await self.session.execute(statement)).one_or_none()

    async def add(self, author_id: UUID, post_id: UUID, body: str, parent: AnyRow | None) -> AnyRow:
        """The new comment with its author, counted; post and parent are locked already."""
        statement = _added(
            draw_id(self.session),
            author_id,
            post_id,
            parent.id if parent else None,
            parent.depth + 1 if parent else 0,
            body,
            clock.now(),
        )
        return (await self.session.execute(*statement)).one()

    async def replace_body(self, comment_id: UUID, body: str, moment: datetime) -> None:
        """Put `body` in place of what was written."""
        await self.session.execute(
            update(Comment).where(Comment.id == comment_id).values(body=body, edited_at=moment)
        )

    async def bury(self, comment: AnyRow, moment: datetime) -> None:
        """Leave a tombstone where the comment was, and count one less."""
        erased = (
            update(Comment)
            .where(Comment.id == comment.id)
            .values(
                author_id=null(), body=null(), deleted_at=moment, edited_at=null(), likes_count=0
            )
        )
        unliked = delete(CommentLike).where(CommentLike.comment_id == comment.id)
        missed = (
            update(Comment)
            .where(Comment.id == comment.parent_id)
            .values(replies_count=Comment.replies_count - 1)
        )
        await self.session.execute(
            select(1).add_cte(
                erased.cte("erased"),
                unliked.cte("unliked"),
                missed.cte("missed"),
                _forgotten(comment.id),
                _count(comment.post_id, -1),
            )
        )

    async def remove(self, comment: AnyRow) -> None:
        """Remove the comment with the tombstones above it whose last reply it was."""
        doomed = _doomed(comment.id)
        removed = delete(Comment).where(Comment.id.in_(select(doomed.c.id)))
        survivor = select(doomed.c.parent_id).order_by(doomed.c.depth).limit(1).scalar_subquery()
        was_reply_of_it = case((Comment.id == comment.parent_id, 1), else_=0)
        missed = (
            update(Comment)
            .where(Comment.id == survivor)
            .values(
                children_count=Comment.children_count - 1,
                replies_count=Comment.replies_count - was_reply_of_it,
            )
        )
        await self.session.execute(
            select(1).add_cte(
                removed.cte("removed"),
                missed.cte("missed"),
                _forgotten(comment.id),
                _count(comment.post_id, -1),
            )
        )


def _doomed(comment_id: UUID) -> CTE:
    """The comment, and the unbroken line of tombstones above it that have no other reply."""
    above = aliased(Comment)
    doomed = (
        select(Comment.id, Comment.parent_id, Comment.depth)
        .where(Comment.id == comment_id)
        .cte("doomed", recursive=True)
    )
    return doomed.union_all(
        select(above.id, above.parent_id, above.depth).where(
            above.id == doomed.c.parent_id,
            above.deleted_at.isnot(None),
            above.children_count == 1,
        )
    )


def _count(post_id: UUID, step: int) -> CTE:
    post = update(Post).where(Post.id == post_id)
    return post.values(comments_count=Post.comments_count + step).cte("counted")


def _forgotten(comment_id: UUID) -> CTE:
    """A repeated request does not tell of what is gone."""
    return delete(IdempotencyKey).where(IdempotencyKey.subject_id == comment_id).cte("forgotten")
