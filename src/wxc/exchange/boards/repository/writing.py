"""Callers lock a board before they change it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, delete, false, insert, null, select, true, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.exchange.boards.repository.columns import COORDINATES, point
from wxc.models import (
    Exchange,
    ExchangeConfirmation,
    Notification,
    NotificationType,
    RowId,
    User,
)

OpeningTimes = Annotated[Sequence[Any], JSONB()]


class BoardFields(NamedTuple):
    """The fields of a board that its owner writes, except the rates."""

    name: str
    base_currency: str
    description: str | None
    address: str | None
    lat: float | None
    lon: float | None
    time_zone: str | None
    opening_hours: Sequence[Any]
    valid_for_hours: int


class LockedBoard(NamedTuple):
    """The fields of `BoardFields` follow the others."""

    id: UUID
    version: int
    confirmed_at: datetime
    name: str
    base_currency: str
    description: str | None
    address: str | None
    lat: float | None
    lon: float | None
    time_zone: str | None
    opening_hours: list[Any]
    valid_for_hours: int

    @property
    def fields(self) -> BoardFields:
        return BoardFields._make(self[-len(BoardFields._fields) :])


class OwnerId(NamedTuple):
    owner_id: UUID


@prepared(LockedBoard)
def lock_board(owner_id: UUID) -> AnySelect:
    return (
        select(
            Exchange.id,
            Exchange.version,
            Exchange.confirmed_at,
            Exchange.name,
            Exchange.base_currency,
            Exchange.description,
            Exchange.address,
            *COORDINATES,
            Exchange.time_zone,
            Exchange.opening_hours,
            Exchange.valid_for_hours,
        )
        .where(Exchange.owner_id == owner_id)
        .with_for_update(key_share=True)
    )


@prepared(RowId)
def update_has_exchange(user_id: UUID, *, has_exchange: bool) -> ReturningUpdate[Any]:
    """No row if the account is gone, or if it is suspended and `has_exchange` is true."""
    is_active = User.suspended_at.is_(None) if has_exchange else true()
    return (
        update(User)
        .where(User.id == user_id, is_active)
        .values(has_exchange=true() if has_exchange else false())
        .returning(User.id)
    )


@prepared(RowId)
def insert_board(
    exchange_id: UUID,
    owner_id: UUID,
    name: str,
    base_currency: str,
    valid_for_hours: int,
    hours: OpeningTimes,
    moment: datetime,
) -> ReturningInsert[Any]:
    """Insert a board that `update_board` completes; no row if the user already has one."""
    return (
        postgresql.insert(Exchange)
        .values(
            id=exchange_id,
            owner_id=owner_id,
            name=name,
            base_currency=base_currency,
            opening_hours=hours,
            valid_for_hours=valid_for_hours,
            confirmed_at=moment,
            updated_at=moment,
            version=0,
            created_at=moment,
        )
        .on_conflict_do_nothing(index_elements=["owner_id"])
        .returning(Exchange.id)
    )


@prepared(RowId)
def update_board(
    owner_id: UUID,
    name: str,
    base_currency: str,
    description: str | None,
    address: str | None,
    lat: float | None,
    lon: float | None,
    time_zone: str | None,
    hours: OpeningTimes,
    valid_for_hours: int,
    moment: datetime,
    remind_at: datetime,
) -> ReturningUpdate[Any]:
    """Replace all fields of the board, increment its version and confirm it."""
    return (
        update(Exchange)
        .where(Exchange.owner_id == owner_id)
        .values(
            name=name,
            base_currency=base_currency,
            description=description,
            address=address,
            location=point(lat, lon),  # NULL without coordinates
            time_zone=time_zone,
            opening_hours=hours,
            valid_for_hours=valid_for_hours,
            confirmed_at=moment,
            remind_at=remind_at,
            updated_at=moment,
            version=Exchange.version + 1,
        )
        .returning(Exchange.id)
        .add_cte(_delete_reminders(owner_id))
    )


@prepared(RowId)
def confirm_board(owner_id: UUID, moment: datetime, remind_at: datetime) -> ReturningUpdate[Any]:
    return (
        update(Exchange)
        .where(Exchange.owner_id == owner_id)
        .values(confirmed_at=moment, remind_at=remind_at)
        .returning(Exchange.id)
        .add_cte(_delete_reminders(owner_id))
    )


@prepared(RowId)
def delete_board(owner_id: UUID) -> ReturningDelete[Any]:
    """The database also deletes rate lines, rate events and confirmations, by cascade."""
    return (
        delete(Exchange)
        .where(Exchange.owner_id == owner_id)
        .returning(Exchange.id)
        .add_cte(_delete_reminders(owner_id))
    )


@prepared(OwnerId)
def claim_reminders(moment: datetime, *, limit: int) -> ReturningUpdate[Any]:
    """Clear up to `limit` due reminders and return the owners of their boards."""
    due = (
        select(Exchange.id)
        .where(Exchange.remind_at <= moment)
        .order_by(Exchange.remind_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(Exchange)
        .where(Exchange.id == due.c.id)
        .values(remind_at=null())
        .returning(Exchange.owner_id)
    )


@prepared(RowId)
def insert_confirmation(
    confirmation_id: UUID,
    exchange_id: UUID,
    moment: datetime,
    base_currency: str,
    valid_for_hours: int,
) -> ReturningInsert[Any]:
    return (
        insert(ExchangeConfirmation)
        .values(
            id=confirmation_id,
            exchange_id=exchange_id,
            at=moment,
            base_currency=base_currency,
            valid_for_hours=valid_for_hours,
        )
        .returning(ExchangeConfirmation.id)
    )


def _delete_reminders(owner_id: UUID) -> CTE:
    """Delete the notification of a board that soon becomes stale; one row of a unique index."""
    return (
        delete(Notification)
        .where(
            Notification.actor_id.is_(None),
            Notification.recipient_id == owner_id,
            Notification.type == NotificationType.EXCHANGE_EXPIRING,
        )
        .cte("reminders")
    )
