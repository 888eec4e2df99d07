"""The stream of a user's new notifications.

Each event, and a timer, triggers a read of new rows, so a lost event only delays a notification.
Each read overlaps the previous one by two seconds, since ids are generated before COMMIT.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
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
from wxc.social.notifications.service.notifying import topic_of
from wxc.social.notifications.service.reading import count_unread, fetch_groups, present_groups

_REPLAY_WINDOW = timedelta(hours=24)
_MAX_PER_READ = 100
_MAX_REPLAYED = 1000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The unread count at the start; notifications after `position` follow."""

    position: UUID
    count: UnreadCount


StreamEvent = Snapshot | UnreadUpdate | Reset | SessionEnd


async def live_notifications(
    database: Database, events: Events, auth: Auth, me: Principal, last_event_id: str | None
) -> AsyncIterator[StreamEvent]:
    """The notifications of `me` since `last_event_id`, then each new one.

    It reads from the primary, since an event may arrive before a replica has its row. No
    connection is held between two reads.
    """
    now = clock.now()
    resume_after = await _resume_position(database, me, last_event_id) if last_event_id else None
    if last_event_id and resume_after is None:
        yield Reset()
    count = await count_unread(database.primary, me.id)
    position = UUID(last_event_id) if last_event_id and resume_after else first_id_at(now)
    yield Snapshot(position, UnreadCount(unread_count=count))
    updates = _UpdateReader(database, me.id, resume_after or first_id_at(now - SETTLE_WINDOW))
    topics = (topic_of(me.id), auth.revocations.topic_of(me.session_id))
    async with (
        aclosing(wakeups(events, topics)) as times,
        aclosing(_updates_until_session_end(database, me, updates, times)) as stream,
    ):
        async for event in stream:
            yield event


async def _updates_until_session_end(
    database: Database, me: Principal, updates: "_UpdateReader", times: AsyncIterator[object]
) -> AsyncGenerator[UnreadUpdate | SessionEnd]:
    async for _ in times:
        if not await is_live(database, me.session_id):
            yield SessionEnd()
            return
        for update in await updates.read():
            yield update


async def _resume_position(database: Database, me: Principal, last_event_id: str) -> UUID | None:
    """The id after which to replay; None if it is invalid, too old or too much was missed."""
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


class _UpdateReader:
    """Reads new notifications, and remembers the ids after its position that it has sent."""

    def __init__(self, database: Database, user_id: UUID, position: UUID) -> None:
        self._database = database
        self._user_id = user_id
        self._position = position
        self._sent: set[UUID] = set()

    async def read(self) -> list[UnreadUpdate]:
        """The groups that are new or have grown, oldest change first."""
        primary = self._database.primary
        updates: dict[str, UnreadUpdate] = {}
        is_full = True
        while is_full:
            settled_position = first_id_at(clock.now() - SETTLE_WINDOW)
            since = notifications_since(self._user_id, self._position, limit=_MAX_PER_READ)
            rows = await primary.fetch(since)
            latest_ids = {row.latest_id for row in rows if row.id not in self._sent}
            found = await fetch_groups(primary, self._user_id, list(latest_ids))
            for group in reversed(present_groups(found)):
                update = UnreadUpdate(group=group, unread_count=found[0].unread_count)
                updates[group["id"]] = update
            is_full = len(rows) == _MAX_PER_READ
            self._advance(rows, rows[-1].id if is_full else settled_position)
        return list(updates.values())

    def _advance(self, rows: Sequence[NewNotification], position: UUID) -> None:
        self._position = max(self._position, position)
        self._sent = {row.id for row in rows if row.id > self._position}
