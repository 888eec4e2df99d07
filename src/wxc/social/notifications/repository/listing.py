from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    Uuid,
    all_,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import prepared
from wxc.models import Notification, RowId
from wxc.social.notifications.repository.visibility import is_shown
from wxc.social.users.repository import Entity


@prepared(RowId)
def latest_per_group(recipient_id: UUID, *, page: PageRequest, only_unread: bool) -> AnySelect:
    """The newest notification of each of up to `limit + 1` groups."""
    select_groups = _newer_groups if page.ascends else _older_groups
    return select_groups(recipient_id, page, only_unread)


def _older_groups(recipient_id: UUID, page: PageRequest, only_unread: bool) -> AnySelect:
    """Walk recursively, one step per group regardless of its size."""
    start: AnySelect = select(
        _start_id(page).label("id"),
        cast([], ARRAY(Uuid())).label("seen"),
        literal(0, Integer()).label("found"),
        false().label("is_latest"),
    )
    walk = start.cte("walk", recursive=True)
    step = _next_group(recipient_id, walk, only_unread)
    walk = walk.union_all(
        select(
            step.c.id,
            func.array_append(walk.c.seen, step.c.group_id),
            walk.c.found + case((step.c.is_latest, 1), else_=0),
            step.c.is_latest,
        )
        .select_from(walk)
        .join(step, true())
        .where(walk.c.found <= page.limit)
    )
    return select(walk.c.id).where(walk.c.is_latest)


def _start_id(page: PageRequest) -> ColumnElement[Any]:
    return cast(null(), Uuid()) if page.position is None else type_coerce(page.position, Uuid())


def _next_group(recipient_id: UUID, walk: CTE, only_unread: bool) -> LateralFromClause:
    """The next notification of an unseen group, and whether it is the newest of its group."""
    found = aliased(Notification)
    return (
        select(
            found.id,
            found.group_id,
            and_(*_latest_conditions(recipient_id, found, only_unread)).label("is_latest"),
        )
        .where(
            found.recipient_id == recipient_id,
            or_(walk.c.id.is_(None), found.id < walk.c.id),
            found.group_id != all_(walk.c.seen),
            is_shown(recipient_id, found),
        )
        .order_by(found.id.desc())
        .limit(1)
        .lateral("step")
    )


def _newer_groups(recipient_id: UUID, page: PageRequest, only_unread: bool) -> AnySelect:
    """Groups with a newer notification than the cursor: few enough to need no walk."""
    statement = select(Notification.id).where(
        Notification.recipient_id == recipient_id,
        is_shown(recipient_id),
        *_latest_conditions(recipient_id, Notification, only_unread),
    )
    return page.window(statement, Notification.id)


def _latest_conditions(
    recipient_id: UUID, notification: Entity, only_unread: bool
) -> list[ColumnElement[bool]]:
    """Newest of its group; with `only_unread`, the group has an unread notification."""
    newer, unread = aliased(Notification), aliased(Notification)
    is_newest = not_(
        exists().where(
            newer.recipient_id == recipient_id,
            newer.group_id == notification.group_id,
            newer.id > notification.id,
            is_shown(recipient_id, newer),
        )
    )
    is_unread = exists().where(
        unread.recipient_id == recipient_id,
        unread.group_id == notification.group_id,
        unread.read_at.is_(None),
        is_shown(recipient_id, unread),
    )
    return [is_newest, is_unread] if only_unread else [is_newest]
