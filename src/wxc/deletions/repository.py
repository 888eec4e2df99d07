"""SQL for deleting accounts.

A later feature hooks in here: edges that a row of somebody else counts become a class in `EDGES`,
rows that nobody counts a line in `BELONGINGS`. What is in neither goes with the account's row.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Protocol
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    any_,
    delete,
    func,
    literal,
    null,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from wxc.core.database import AnyRow, AnySelect, IdColumn
from wxc.models import (
    Block,
    Comment,
    CommentLike,
    Exchange,
    ExchangeConfirmation,
    ExchangeRate,
    Follow,
    Mute,
    Notification,
    Post,
    PostLike,
    RateEvent,
    User,
)

OfExchange = type[RateEvent] | type[ExchangeConfirmation] | type[ExchangeRate]
Owned = (
    type[Block]
    | type[Comment]
    | type[Mute]
    | type[Notification]
    | type[Post]
    | type[PostLike]
    | type[Exchange]
    | OfExchange
)
Selecting = Callable[[UUID, int], AnySelect]
"""The ids of up to so many rows of a member."""


class Edges(Protocol):
    """What ties an account to rows of others, which count it."""

    def __init__(self, session: AsyncSession) -> None: ...

    async def hold(self, user_id: UUID, most: int) -> Sequence[UUID]:
        """Up to `most` edges; the rows that count them are locked in the order of their ids."""
        ...

    async def cut(self, edges: Sequence[UUID]) -> None:
        """Remove those that are still there, and count that many less."""
        ...


class LikesOfPosts:
    """What the member liked."""

    like: ClassVar[type[PostLike] | type[CommentLike]] = PostLike
    subject: ClassVar[type[Post] | type[Comment]] = Post
    subject_id: ClassVar[str] = "post_id"

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def hold(self, user_id: UUID, most: int) -> Sequence[UUID]:
        """Likes, what is liked locked."""
        liked = getattr(self.like, self.subject_id)
        likes = (
            select(self.like.id, liked.label("subject_id"))
            .where(self.like.user_id == user_id)
            .order_by(liked)  # as an index has them, whatever the planner believes
            .limit(most)
        )
        rows = (await self.session.execute(likes)).all()
        await self.session.execute(
            select(self.subject.id)
            .where(_among(self.subject.id, [row.subject_id for row in rows]))
            .order_by(self.subject.id)
            .with_for_update(key_share=True)
        )
        return [row.id for row in rows]

    async def cut(self, edges: Sequence[UUID]) -> None:
        """Remove likes and count them off; a member likes a thing once."""
        liked = getattr(self.like, self.subject_id)
        gone = delete(self.like).where(_among(self.like.id, edges)).returning(liked).cte("gone")
        await self.session.execute(
            update(self.subject)
            .where(self.subject.id == gone.c[self.subject_id])
            .values(likes_count=self.subject.likes_count - 1)
        )


class LikesOfComments(LikesOfPosts):
    """What the member liked of what others said."""

    like = CommentLike
    subject = Comment
    subject_id = "comment_id"


class Follows:
    """Whom the member followed, and who followed them."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def hold(self, user_id: UUID, most: int) -> Sequence[UUID]:
        """Follows; the people at both ends are locked as by who follows, the member among them."""
        columns = (Follow.id, Follow.follower_id, Follow.followed_id)
        halves = (
            select(*columns).where(mine == user_id).order_by(Follow.id).limit(most).subquery()
            for mine in (Follow.follower_id, Follow.followed_id)
        )
        edges = union_all(*map(select, halves)).limit(most)
        rows = (await self.session.execute(edges)).all()
        people = {user_id, *(end for row in rows for end in (row.follower_id, row.followed_id))}
        await self.session.execute(
            select(User.id)
            .where(_among(User.id, people))
            .order_by(User.id)
            .with_for_update(key_share=True)
        )
        return [row.id for row in rows]

    async def cut(self, edges: Sequence[UUID]) -> None:
        """Remove follows and count them off at both ends."""
        gone = (
            delete(Follow)
            .where(_among(Follow.id, edges))
            .returning(Follow.follower_id, Follow.followed_id)
            .cte("gone")
        )
        ends = union_all(
            select(gone.c.followed_id.label("id"), literal(1).label("in"), literal(0).label("out")),
            select(gone.c.follower_id, literal(0), literal(1)),
        ).subquery("ends")
        less = (
            select(ends.c.id, func.sum(ends.c["in"]).label("in"), func.sum(ends.c.out).label("out"))
            .group_by(ends.c.id)
            .subquery("less")
        )
        await self.session.execute(
            update(User)
            .where(User.id == less.c.id)
            .values(
                followers_count=User.followers_count - less.c["in"],
                following_count=User.following_count - less.c.out,
            )
        )


def _among(column: IdColumn, ids: Collection[UUID]) -> ColumnElement[bool]:
    """`column` is one of `ids`: one parameter, however many there are."""
    return column == any_(literal(list(ids), ARRAY(Uuid())))


EDGES: tuple[type[Edges], ...] = (LikesOfPosts, LikesOfComments, Follows)
"""In the order in which their rows are locked, as everywhere: posts, comments, people."""


def _likes_of_own_posts(user_id: UUID, most: int) -> AnySelect:
    """Others' likes, post after post, so that nothing but the member's own posts is read."""
    likes = (
        select(PostLike.id).where(PostLike.post_id == Post.id).order_by(PostLike.id).limit(most)
    ).lateral("likes")
    return (
        select(likes.c.id)
        .select_from(Post)
        .join(likes, true())
        .where(Post.author_id == user_id)
        .limit(most)
    )


def _threads_of_own_posts(user_id: UUID, most: int) -> AnySelect:
    """What was said under them, the latest first: replies go before what they reply to."""
    said = (
        select(Comment.id).where(Comment.post_id == Post.id).order_by(Comment.id.desc()).limit(most)
    ).lateral("said")
    return (
        select(said.c.id)
        .select_from(Post)
        .join(said, true())
        .where(Post.author_id == user_id)
        .limit(most)
    )


def _rows_of(table: Owned, owner: IdColumn | InstrumentedAttribute[UUID | None]) -> Selecting:
    def rows_of(user_id: UUID, most: int) -> AnySelect:
        return select(table.id).where(owner == user_id).order_by(table.id).limit(most)

    return rows_of


def _rows_of_exchange(table: OfExchange) -> Selecting:
    def rows_of(user_id: UUID, most: int) -> AnySelect:
        exchanges = select(Exchange.id).where(Exchange.owner_id == user_id)
        return select(table.id).where(table.exchange_id.in_(exchanges)).limit(most)

    return rows_of


BELONGINGS: tuple[tuple[Owned, Selecting], ...] = (
    (PostLike, _likes_of_own_posts),
    (Comment, _threads_of_own_posts),
    (Post, _rows_of(Post, Post.author_id)),
    (RateEvent, _rows_of_exchange(RateEvent)),
    (ExchangeConfirmation, _rows_of_exchange(ExchangeConfirmation)),
    (ExchangeRate, _rows_of_exchange(ExchangeRate)),
    (Exchange, _rows_of(Exchange, Exchange.owner_id)),
    (Block, _rows_of(Block, Block.blocker_id)),
    (Block, _rows_of(Block, Block.blocked_id)),
    (Mute, _rows_of(Mute, Mute.muter_id)),
    (Mute, _rows_of(Mute, Mute.muted_id)),
    (Notification, _rows_of(Notification, Notification.recipient_id)),
    (Notification, _rows_of(Notification, Notification.actor_id)),
)
"""In the order in which they go: first what would go along with something else, unbounded.

What the member's own posts count is left as it is: nobody sees it any more.
"""


class DeletionRepository:
    """Empties accounts, and removes what is left of them."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def empty(self, user_id: UUID, *, seen: str, moment: datetime) -> bool:
        """Have the member be there for nobody, and take all that is personal out of the row.

        False when the account is gone already, or its password no longer the one that was `seen`.
        """
        statement = (
            update(User)
            .where(User.id == user_id, User.password_hash == seen, User.suspended_at.is_(None))
            .values(
                suspended_at=moment,
                erase_at=moment,
                email=null(),
                email_folded=null(),
                email_verified_at=null(),
                pending_email=null(),
                password_hash=null(),
                display_name=null(),
                bio=null(),
                avatar_url=null(),
                home_currency=null(),
            )
            .returning(User.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None

    async def claim(self, *, moment: datetime, lease: timedelta) -> AnyRow | None:
        """`(id, suspended_at)` of who has waited longest; held until the lease ends."""
        due = (
            select(User.id)
            .where(User.erase_at <= moment)
            .order_by(User.erase_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        statement = (
            update(User)
            .where(User.id == due.c.id)
            .values(erase_at=moment + lease)
            .returning(User.id, User.suspended_at)
        )
        return (await self.session.execute(statement)).one_or_none()

    async def remove_belongings(self, user_id: UUID, most: int) -> bool:
        """Remove up to `most` rows of one kind; False when none is left."""
        for table, some in BELONGINGS:
            rows = some(user_id, most)
            statement = delete(table).where(table.id.in_(rows)).returning(table.id)
            if (await self.session.execute(statement)).first() is not None:
                return True
        return False

    async def postpone(self, user_id: UUID, moment: datetime) -> None:
        """See to the account again then."""
        await self.session.execute(
            update(User)
            .where(User.id == user_id, User.erase_at.isnot(None))
            .values(erase_at=moment)
        )

    async def remove(self, user_id: UUID) -> None:
        """Remove the row, and with it the sessions and mails of the account."""
        await self.session.execute(
            delete(User).where(User.id == user_id, User.erase_at.isnot(None))
        )
