from collections.abc import Sequence
from itertools import groupby
from typing import cast
from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.core.times import rfc3339
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest
from wxc.db.session import Session
from wxc.social.notifications.repository.listing import latest_per_group
from wxc.social.notifications.repository.reading import (
    GroupActorRow,
    groups_by_latest,
    unread_groups,
)
from wxc.social.notifications.repository.writing import mark_read_up_to
from wxc.social.notifications.schemas import Kind, NotificationGroup, NotificationPage, UnreadCount
from wxc.social.users.repository import SummaryFields
from wxc.social.users.schemas import UserSummary
from wxc.social.users.service import present_summary


async def list_notifications(
    db: Handle, me: Principal, page: PageRequest, *, only_unread: bool
) -> NotificationPage:
    """One page of groups, newest first."""
    latest = await db.fetch(latest_per_group(me.id, page=page, only_unread=only_unread))
    page_slice = page.slice(latest, key=lambda row: row.id)
    rows = await fetch_groups(db, me.id, [row.id for row in page_slice.rows])
    return {
        "items": present_groups(rows),
        "next_cursor": page_slice.next_cursor,
        "prev_cursor": page_slice.prev_cursor,
        "unread_count": rows[0].unread_count if rows else await count_unread(db, me.id),
    }


async def mark_read(session: Session, me: Principal, up_to: UUID) -> UnreadCount:
    """Mark the visible notifications up to `up_to` as read; nothing becomes unread again."""
    await session.fetch_one(mark_read_up_to(me.id, up_to))
    return UnreadCount(unread_count=await count_unread(session, me.id))


async def count_unread(db: Handle, user_id: UUID) -> int:
    """The number of unread groups, up to `MAX_UNREAD`."""
    (row,) = await db.fetch(unread_groups(user_id))
    return row.unread_count


async def fetch_groups(
    db: Handle, user_id: UUID, latest_ids: Sequence[UUID]
) -> Sequence[GroupActorRow]:
    """Executes no statement if there are no groups."""
    return await db.fetch(groups_by_latest(user_id, latest_ids)) if latest_ids else []


def present_groups(rows: Sequence[GroupActorRow]) -> list[NotificationGroup]:
    """The groups in the order of `rows`, which are sorted by group."""
    return [_present_group(list(members)) for _, members in groupby(rows, key=lambda row: row.id)]


def _present_group(rows: Sequence[GroupActorRow]) -> NotificationGroup:
    first = rows[0]
    return {
        "id": str(first.id),
        "type": cast(Kind, first.type),
        "count": first.members_count,
        "actors": [actor for row in rows if (actor := _present_actor(row))],
        "post_id": None if first.post_id is None else str(first.post_id),
        "comment_id": None if first.comment_id is None else str(first.comment_id),
        "latest_at": rfc3339(first.created_at),
        "unread": first.unread,
    }


def _present_actor(row: GroupActorRow) -> UserSummary | None:
    # The columns of the actor are all NULL or all set.
    return None if row.user_id is None else present_summary(cast(SummaryFields, row), row.user_id)
