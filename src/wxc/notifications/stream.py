"""Notifications as they happen.

Nothing depends on an event's arrival: each look reads what is new from the tables, and looks back
two seconds, since ids are drawn before COMMIT.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from wxc.auth import service as auth_service
from wxc.auth.context import Auth, Principal
from wxc.core import clock
from wxc.core.database import AnyRow, Database
from wxc.core.events import Events
from wxc.core.ids import first_id_at, time_of
from wxc.core.streams import Reset, SessionEnd, looks
from wxc.db.keyset import UNSETTLED
from wxc.notifications.repository import NotificationReader
from wxc.notifications.schemas import NotificationGroup, UnreadCount, UnreadUpdate
from wxc.notifications.service import present, topic_of

_REMEMBERED = timedelta(hours=24)
_MOST_AT_ONCE = 100
_MOST_REPLAYED = 1000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How things stand at the beginning; what follows is told again after `position`."""

    position: UUID
    count: UnreadCount


StreamEvent = Snapshot | UnreadUpdate | Reset | SessionEnd


async def follow(
    database: Database, events: Events, auth: Auth, me: Principal, last_event_id: str | None
) -> AsyncIterator[StreamEvent]:
    """What `me` is told from now on; before that, what was missed since `last_event_id`.

    No connection is held between two looks.
    """
    now = clock.now()
    missed_since = await _resumed_at(database, me, last_event_id) if last_event_id else None
    if last_event_id and missed_since is None:
        yield Reset()
    async with database.guarding() as reader:
        count = await NotificationReader(reader).unread_count(me.id)
    position = UUID(last_event_id) if last_event_id and missed_since else first_id_at(now)
    yield Snapshot(position, UnreadCount(unread_count=count))
    tail = _Tail(database, me.id, missed_since or first_id_at(now - UNSETTLED))
    topics = (topic_of(me.id), auth.revocations.topic_of(me.session_id))
    async with aclosing(looks(events, topics)) as times:
        async for _ in times:
            if not await auth_service.is_live(database, me.session_id):
                yield SessionEnd()
                return
            for update in await tail.read():
                yield update


async def _resumed_at(database: Database, me: Principal, last_event_id: str) -> UUID | None:
    """After which id all is told once more; None when that is too long ago, or no id of ours."""
    try:
        last = time_of(UUID(last_event_id))
    except (ValueError, OverflowError):
        return None
    if not timedelta() <= clock.now() - last + UNSETTLED <= _REMEMBERED:
        return None
    position = first_id_at(last - UNSETTLED)
    async with database.guarding() as reader:
        missed = await NotificationReader(reader).since(me.id, position, _MOST_REPLAYED + 1)
    return position if len(missed) <= _MOST_REPLAYED else None


class _Tail:
    """Reads what is new: all up to a position has been told, and beyond it a few."""

    def __init__(self, database: Database, me_id: UUID, position: UUID) -> None:
        self._database = database
        self._me_id = me_id
        self._position = position
        self._told: set[UUID] = set()

    async def read(self) -> list[UnreadUpdate]:
        """The groups that are new or have grown, in the order in which they did."""
        updates: dict[UUID, UnreadUpdate] = {}
        is_full = True
        while is_full:
            settled = first_id_at(clock.now() - UNSETTLED)
            async with self._database.guarding() as reader:
                notifications = NotificationReader(reader)
                rows = await notifications.since(self._me_id, self._position, _MOST_AT_ONCE)
                heads = {row.head for row in rows if row.id not in self._told}
                found = await notifications.groups(self._me_id, list(heads)) if heads else []
            updates |= {group.id: _update(group, found) for group in reversed(present(found))}
            is_full = len(rows) == _MOST_AT_ONCE
            self._settle(rows, rows[-1].id if is_full else settled)
        return list(updates.values())

    def _settle(self, rows: Sequence[AnyRow], settled: UUID) -> None:
        self._position = max(self._position, settled)
        self._told = {row.id for row in rows if row.id > self._position}


def _update(group: NotificationGroup, rows: Sequence[AnyRow]) -> UnreadUpdate:
    return UnreadUpdate(group=group, unread_count=rows[0].unread_count)
