"""Notifications as they happen.

Nothing depends on an event's arrival: each look reads what is new from the tables, and looks back
two seconds, since ids are drawn before COMMIT.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.service.sessions import is_live
from wxc.core import clock
from wxc.core.events import Events
from wxc.core.ids import first_id_at, time_of
from wxc.db.database import Database
from wxc.db.keyset import SETTLE_WINDOW
from wxc.http.streams import Reset, SessionEnd, wakeups
from wxc.social.notifications.repository.reading import NewNotification, notifications_since
from wxc.social.notifications.schemas import UnreadCount, UnreadUpdate
from wxc.social.notifications.service import count_unread, fetch_groups, present_groups, topic_of

_REPLAY_WINDOW = timedelta(hours=24)
_MAX_PER_LOOK = 100
_MAX_REPLAYED = 1000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state at the beginning; what happens after `position` is sent again."""

    position: UUID
    count: UnreadCount


StreamEvent = Snapshot | UnreadUpdate | Reset | SessionEnd


async def follow(
    database: Database, events: Events, auth: Auth, me: Principal, last_event_id: str | None
) -> AsyncIterator[StreamEvent]:
    """The notifications of `me` from now on, after those since `last_event_id`.

    It reads from the primary, since an event may arrive before a replica has its row. No
    connection is held between two looks.
    """
    now = clock.now()
    missed_since = await _resume_position(database, me, last_event_id) if last_event_id else None
    if last_event_id and missed_since is None:
        yield Reset()
    count = await count_unread(database.primary, me.id)
    position = UUID(last_event_id) if last_event_id and missed_since else first_id_at(now)
    yield Snapshot(position, UnreadCount(unread_count=count))
    tail = _Tail(database, me.id, missed_since or first_id_at(now - SETTLE_WINDOW))
    topics = (topic_of(me.id), auth.revocations.topic_of(me.session_id))
    async with aclosing(wakeups(events, topics)) as times:
        async for _ in times:
            if not await is_live(database, me.session_id):
                yield SessionEnd()
                return
            for update in await tail.read():
                yield update


async def _resume_position(database: Database, me: Principal, last_event_id: str) -> UUID | None:
    """The id after which all is sent again; None if that is too long ago, or no id of ours."""
    try:
        last = time_of(UUID(last_event_id))
    except (ValueError, OverflowError):
        return None
    if not timedelta() <= clock.now() - last + SETTLE_WINDOW <= _REPLAY_WINDOW:
        return None
    position = first_id_at(last - SETTLE_WINDOW)
    missed = await database.primary.fetch(
        notifications_since(me.id, position, limit=_MAX_REPLAYED + 1)
    )
    return position if len(missed) <= _MAX_REPLAYED else None


class _Tail:
    """Reads what is new: everything up to a position has been sent, and a few ids beyond it."""

    def __init__(self, database: Database, me_id: UUID, position: UUID) -> None:
        self._database = database
        self._me_id = me_id
        self._position = position
        self._sent: set[UUID] = set()

    async def read(self) -> list[UnreadUpdate]:
        """The groups that are new or have grown, in the order in which they did."""
        primary = self._database.primary
        updates: dict[str, UnreadUpdate] = {}
        is_full = True
        while is_full:
            settled = first_id_at(clock.now() - SETTLE_WINDOW)
            since = notifications_since(self._me_id, self._position, limit=_MAX_PER_LOOK)
            rows = await primary.fetch(since)
            latest_ids = {row.latest_id for row in rows if row.id not in self._sent}
            found = await fetch_groups(primary, self._me_id, list(latest_ids))
            for group in reversed(present_groups(found)):
                update = UnreadUpdate(group=group, unread_count=found[0].unread_count)
                updates[group["id"]] = update
            is_full = len(rows) == _MAX_PER_LOOK
            self._settle(rows, rows[-1].id if is_full else settled)
        return list(updates.values())

    def _settle(self, rows: Sequence[NewNotification], settled: UUID) -> None:
        self._position = max(self._position, settled)
        self._sent = {row.id for row in rows if row.id > self._position}
