"""SQL for follows, blocks and mutes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    func,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from wxc.core.database import AnyRow, AnySelect, Reader, draw_id
from wxc.core.pagination import PageRequest
from wxc.models import Block, Follow, Mute, User
from wxc.users.repository import named
from wxc.users.visibility import has_blocked, stands, visible_to


class FollowReader:
    """Who follows whom, as a viewer may see it."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def followers_of(
        self, username: str, viewer_id: UUID | None, page: PageRequest
    ) -> Sequence[AnyRow] | None:
        """Up to `limit + 1` rows of `UserSummary` and `edge_id`; None when nobody is found."""
        return await self._listed(username, viewer_id, page, Follow.followed_id, Follow.follower_id)

    async def followed_by(
        self, username: str, viewer_id: UUID | None, page: PageRequest
    ) -> Sequence[AnyRow] | None:
        """The same for those whom that person follows."""
        return await self._listed(username, viewer_id, page, Follow.follower_id, Follow.followed_id)

    async def _listed(
        self,
        username: str,
        viewer_id: UUID | None,
        page: PageRequest,
        of: Any,  # noqa: ANN401 - the column that holds the person asked about
        other: Any,  # noqa: ANN401 - and the one that holds who is listed
    ) -> Sequence[AnyRow] | None:
        person = aliased(User)
        edges = page.window(
            select(
                Follow.id.label("edge_id"),
                person.id,
                person.username,
                person.display_name,
                person.avatar_url,
            )
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
        rows = (await self.reader.execute(statement)).all()
        return [row for row in rows if row.edge_id is not None] if rows else None


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
            select(
                edge.id.label("edge_id"),
                User.id,
                User.username,
                User.display_name,
                User.avatar_url,
            )
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
        pair = func.concat(func.least(User.id, me_id), func.greatest(User.id, me_id))
        statement = select(
            User.id, func.pg_advisory_xact_lock(func.hashtextextended(pair, 0))
        ).where(named(username), stands())
        row = (await self.session.execute(statement)).one_or_none()
        return row.id if row is not None else None

    async def relation(self, me_id: UUID, other_id: UUID) -> AnyRow | None:
        """`(hidden, blocking)`: whether they have blocked me, whether I have blocked them.

        None when one of the two is not there any more.

        Both members' rows are locked in the order of their ids, so that those who follow one
        another in a circle cannot deadlock, and so that nothing has to wait after a follow's id
        has been drawn.
        """
        statement = (
            select(
                has_blocked(other_id, me_id).label("hidden"),
                has_blocked(me_id, other_id).label("blocking"),
            )
            .where(User.id.in_((me_id, other_id)), User.suspended_at.is_(None))
            .order_by(User.id)
            .with_for_update(key_share=True)
        )
        rows = (await self.session.execute(statement)).all()
        return rows[0] if len(rows) == 2 else None


class FollowRepository:
    """Writes follows; the pair has been locked."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, me_id: UUID, other_id: UUID) -> bool:
        """Record the follow; False when it was there already."""
        statement = (
            insert(Follow)
            .values(id=draw_id(self.session), follower_id=me_id, followed_id=other_id)
            .on_conflict_do_nothing()
            .returning(Follow.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None

    async def remove(self, me_id: UUID, other_id: UUID) -> bool:
        """Take the follow back; False when there was none."""
        statement = (
            delete(Follow)
            .where(Follow.follower_id == me_id, Follow.followed_id == other_id)
            .returning(Follow.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None

    async def count(self, me_id: UUID, other_id: UUID, step: int) -> int:
        """Move both counters by `step` and return the other's number of followers."""
        moved = (
            update(User)
            .where(User.id.in_((me_id, other_id)))
            .values(
                followers_count=User.followers_count + case((User.id == other_id, step), else_=0),
                following_count=User.following_count + case((User.id == me_id, step), else_=0),
            )
            .returning(User.id, User.followers_count)
            .cte("moved")
        )
        statement = select(moved.c.followers_count).where(moved.c.id == other_id)
        count: int = (await self.session.execute(statement)).scalar_one()
        return count

    async def followers_count(self, user_id: UUID) -> int:
        """How many follow that member."""
        statement = select(User.followers_count).where(User.id == user_id)
        return (await self.session.execute(statement)).scalar_one()


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
