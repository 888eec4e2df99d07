"""SQL for follows, blocks and mutes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    DateTime,
    Uuid,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from wxc.core import clock
from wxc.core.database import AnyRow, AnySelect, Reader, draw_id, rows_of
from wxc.core.ids import first_id_at
from wxc.core.statements import built_once
from wxc.db.keyset import PageRequest
from wxc.models import Block, Follow, Mute, NotificationType, User
from wxc.notifications.repository.writing import hide_notifications, upsert_notifications
from wxc.users.repository import named, summary
from wxc.users.visibility import has_blocked, stands, visible_to


class FollowReader:
    """Who follows whom, as a viewer may see it."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def followers_of(
        self, username: str, viewer_id: UUID | None, page: PageRequest
    ) -> Sequence[AnyRow] | None:
        """Up to `limit + 1` rows of `UserSummary` and `edge_id`; None when nobody is found."""
        return await self._listed(username, viewer_id, page, of_followers=True)

    async def followed_by(
        self, username: str, viewer_id: UUID | None, page: PageRequest
    ) -> Sequence[AnyRow] | None:
        """The same for those whom that person follows."""
        return await self._listed(username, viewer_id, page, of_followers=False)

    async def _listed(
        self, username: str, viewer_id: UUID | None, page: PageRequest, *, of_followers: bool
    ) -> Sequence[AnyRow] | None:
        statement = _followers(username, viewer_id, page, of_followers=of_followers)
        rows = rows_of(await self.reader.execute(*statement))
        return [row for row in rows if row.edge_id is not None] if rows else None


@built_once
def _followers(
    username: str, viewer_id: UUID | None, page: PageRequest, *, of_followers: bool
) -> AnySelect:
    """Or whom they follow."""
    of, other = Follow.followed_id, Follow.follower_id
    if not of_followers:
        of, other = other, of
    person = aliased(User)
    edges = page.window(
        select(Follow.id.label("edge_id"), *summary(person))
        .join(person, person.id == other)
        .where(of == User.id, visible_to(viewer_id, person)),
        Follow.id,
    ).lateral("edges")
    # The outer join keeps one empty row for somebody who is there but has nobody to list.
    statement: AnySelect = (
        select(edges)
        .select_from(User)
        .outerjoin(edges, true())
        .where(named(username), visible_to(viewer_id))
    )
    return statement


class OwnEdgeReader:
    """Whom a member keeps away, for that member alone."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def blocked_by(self, me_id: UUID, page: PageRequest) -> Sequence[AnyRow]:
        """Up to `limit + 1` rows of `UserSummary` and `edge_id`.

        Also of those who have blocked the member in turn: the names are their own choice.
        """
        return await self._listed(page, Block, Block.blocker_id == me_id, Block.blocked_id)

    async def muted_by(self, me_id: UUID, page: PageRequest) -> Sequence[AnyRow]:
        """The same for the muted, but for those who have blocked the member."""
        is_own = and_(Mute.muter_id == me_id, not_(has_blocked(Mute.muted_id, me_id)))
        return await self._listed(page, Mute, is_own, Mute.muted_id)

    async def _listed(
        self,
        page: PageRequest,
        edge: type[Block] | type[Mute],
        is_own: ColumnElement[bool],
        other: Any,  # noqa: ANN401 - the column that holds who is listed
    ) -> Sequence[AnyRow]:
        statement: AnySelect = (
            select(edge.id.label("edge_id"), *summary())
            .join(User, User.id == other)
            .where(is_own, stands())
        )
        return (await self.reader.execute(page.window(statement, edge.id))).all()


class PairRepository:
    """Two members, locked against one another: a block and a follow take turns."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def lock(self, me_id: UUID, username: str) -> UUID | None:
        """The id of whom `username` names, the pair locked until the transaction ends."""
        row = (await self.session.execute(*_locked(me_id, username))).one_or_none()
        return row.id if row is not None else None

    async def relation(self, me_id: UUID, other_id: UUID) -> AnyRow | None:
        """`(hidden, blocking)`: whether they have blocked me, whether I have blocked them.

        None when one of the two is not there any more.

        Both members' rows are locked in the order of their ids, so that those who follow one
        another in a circle cannot deadlock, and so that nothing has to wait after a follow's id
        has been drawn.
        """
        rows = (await self.session.execute(*_between(me_id, other_id))).all()
        return rows[0] if len(rows) == 2 else None


@built_once
def _locked(my_id: UUID, username: str) -> AnySelect:
    pair = func.concat(func.least(User.id, my_id), func.greatest(User.id, my_id))
    lock = func.pg_advisory_xact_lock(func.hashtextextended(pair, 0))
    return select(User.id, lock).where(named(username), stands())


@built_once
def _between(my_id: UUID, other_id: UUID) -> AnySelect:
    return (
        select(
            has_blocked(other_id, my_id).label("hidden"),
            has_blocked(my_id, other_id).label("blocking"),
        )
        .where(User.id.in_((my_id, other_id)), User.suspended_at.is_(None))
        .order_by(User.id)
        .with_for_update(key_share=True)
    )


class FollowRepository:
    """Writes follows; the pair has been locked."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, me_id: UUID, other_id: UUID) -> AnyRow:
        """`(followers_count, told)` after the follow, unless it was there already.

        `told` is the one who is followed, if they are notified: follows of a UTC day are one group.
        """
        moment = clock.now()
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        ids = draw_id(self.session), draw_id(self.session)
        statement = _followed(me_id, other_id, *ids, first_id_at(midnight), moment)
        return (await self.session.execute(*statement)).one()

    async def remove(self, me_id: UUID, other_id: UUID) -> int:
        """How many follow the other one, after the follow was taken back if there was one."""
        count: int = (await self.session.execute(*_unfollowed(me_id, other_id))).scalar_one()
        return count


@built_once
def _followed(
    my_id: UUID,
    other_id: UUID,
    follow_id: UUID,
    notification_id: UUID,
    day_id: UUID,
    moment: datetime,
) -> AnySelect:
    moved = (
        insert(Follow)
        .values(id=follow_id, follower_id=my_id, followed_id=other_id, created_at=moment)
        .on_conflict_do_nothing()
        .returning(Follow.followed_id)
        .cte("moved")
    )
    said: AnySelect = select(
        type_coerce(notification_id, Uuid()),
        moved.c.followed_id,
        literal(NotificationType.FOLLOW.value),
        type_coerce(my_id, Uuid()),
        type_coerce(moment, DateTime(timezone=True)),
        moved.c.followed_id,
        type_coerce(day_id, Uuid()),
    )
    columns = ("id", "recipient_id", "type", "actor_id", "created_at", "subject_id", "group_id")
    told = upsert_notifications(columns, said).cte("told")
    count = _counted(my_id, other_id, moved, 1)
    statement: AnySelect = select(count, told.c.recipient_id.label("told")).select_from(User)
    return statement.outerjoin(told, true()).where(User.id == other_id)


@built_once
def _unfollowed(my_id: UUID, other_id: UUID) -> AnySelect:
    moved = (
        delete(Follow)
        .where(Follow.follower_id == my_id, Follow.followed_id == other_id)
        .returning(Follow.followed_id)
        .cte("moved")
    )
    withdrawn = hide_notifications(
        NotificationType.FOLLOW, my_id, moved.c.followed_id, moved.c.followed_id
    )
    statement: AnySelect = select(_counted(my_id, other_id, moved, -1)).where(User.id == other_id)
    return statement.add_cte(withdrawn.cte("withdrawn"))


def _counted(my_id: UUID, other_id: UUID, moved: CTE, step: int) -> ColumnElement[int]:
    """Both counters go with what has moved; the number of the other one's followers then."""
    counted = (
        update(User)
        .where(User.id.in_((my_id, other_id)), exists(select(moved.c.followed_id)))
        .values(
            followers_count=User.followers_count + case((User.id == other_id, step), else_=0),
            following_count=User.following_count + case((User.id == my_id, step), else_=0),
        )
        .returning(User.id, User.followers_count)
        .cte("counted")
    )
    count = select(counted.c.followers_count).where(counted.c.id == other_id).scalar_subquery()
    return func.coalesce(count, User.followers_count).label("followers_count")


class BlockRepository:
    """Writes blocks; the pair has been locked."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, me_id: UUID, other_id: UUID) -> bool:
        """Record the block; False when it was there already."""
        statement = (
            insert(Block)
            .values(id=draw_id(self.session), blocker_id=me_id, blocked_id=other_id)
            .on_conflict_do_nothing()
            .returning(Block.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None

    async def remove(self, me_id: UUID, other_id: UUID) -> None:
        """Lift the block."""
        await self.session.execute(
            delete(Block).where(Block.blocker_id == me_id, Block.blocked_id == other_id)
        )

    async def sever(self, me_id: UUID, other_id: UUID) -> None:
        """Remove what each of the two follows of the other, and count it."""
        severed = (
            delete(Follow)
            .where(
                or_(
                    and_(Follow.follower_id == me_id, Follow.followed_id == other_id),
                    and_(Follow.follower_id == other_id, Follow.followed_id == me_id),
                )
            )
            .returning(Follow.follower_id, Follow.followed_id)
            .cte("severed")
        )
        lost, dropped = (
            select(func.count()).where(column == User.id).scalar_subquery()
            for column in (severed.c.followed_id, severed.c.follower_id)
        )
        await self.session.execute(
            update(User)
            .where(User.id.in_((me_id, other_id)))
            .values(
                followers_count=User.followers_count - lost,
                following_count=User.following_count - dropped,
            )
        )


class MuteRepository:
    """Writes mutes."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, me_id: UUID, other_id: UUID) -> None:
        """Record the mute, unless it is there."""
        await self.session.execute(
            insert(Mute)
            .values(id=draw_id(self.session), muter_id=me_id, muted_id=other_id)
            .on_conflict_do_nothing()
        )

    async def remove(self, me_id: UUID, other_id: UUID) -> None:
        """Take the mute back."""
        await self.session.execute(
            delete(Mute).where(Mute.muter_id == me_id, Mute.muted_id == other_id)
        )
