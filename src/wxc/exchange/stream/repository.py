from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, true

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.exchange.boards.repository.rate_events import EVENT_COLUMNS, RateEventRow
from wxc.models import Exchange, RateEvent, User
from wxc.social.users.repository import has_username
from wxc.social.users.visibility import visible_to


class BoardHead(NamedTuple):
    """The last event and confirmation of a board; `seq` is None before the first event."""

    id: UUID
    owner_id: UUID
    current_confirmed_at: datetime
    current_valid_for_hours: int
    seq: int | None
    hash: bytes | None


@prepared(BoardHead)
def board_head(username: str, viewer_id: UUID | None) -> AnySelect:
    """No row if the board does not exist or is invisible to the viewer."""
    last_event = (
        select(RateEvent.seq, RateEvent.hash)
        .where(RateEvent.exchange_id == Exchange.id)
        .order_by(RateEvent.seq.desc())
        .limit(1)
        .lateral("last_event")
    )
    return (
        select(
            Exchange.id,
            Exchange.owner_id,
            Exchange.confirmed_at.label("current_confirmed_at"),
            Exchange.valid_for_hours.label("current_valid_for_hours"),
            *last_event.c,
        )
        .join(User, User.id == Exchange.owner_id)
        .outerjoin(last_event, true())
        .where(has_username(username), visible_to(viewer_id))
    )


@prepared(RateEventRow)
def rate_events_from(exchange_id: UUID, first_seq: int, *, limit: int) -> AnySelect:
    """Events of the board in order, from `first_seq` on."""
    return (
        select(*EVENT_COLUMNS)
        .where(RateEvent.exchange_id == exchange_id, RateEvent.seq >= first_seq)
        .order_by(RateEvent.seq)
        .limit(limit)
    )
