"""SQL for boards and their history."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Numeric,
    Result,
    String,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    column,
    delete,
    except_,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
    union,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import LateralFromClause

from wxc.core.currencies import codes_of_all_times
from wxc.core.database import AnyRow, AnySelect, Reader, rows_of
from wxc.core.ids import new_id
from wxc.core.statements import built_once
from wxc.db.keyset import PageRequest
from wxc.exchange.history import Group, Span
from wxc.models import Exchange, ExchangeConfirmation, ExchangeRate, RateEvent, User
from wxc.users.repository import named, summary
from wxc.users.visibility import visible_to

LINE = ("currency", "unit", "we_buy", "we_sell", "min_amount", "max_amount")
"""What a line of a board says."""
_KEPT = timedelta(hours=1)  # lines that are gone, for searches that go on by what they showed
_POINT = cast(Exchange.location, Geometry("POINT", srid=4326))
BOARD = (
    Exchange.id,
    Exchange.name,
    Exchange.description,
    Exchange.address,
    func.ST_Y(_POINT).label("lat"),
    func.ST_X(_POINT).label("lon"),
    Exchange.time_zone,
    Exchange.opening_hours,
    Exchange.updated_at,
    Exchange.version,
    Exchange.confirmed_at.label("confirmed_now"),
    Exchange.valid_for_hours.label("valid_now"),
)
"""The columns of a board that are today's whatever moment is asked for."""
OWNER = summary(id_name="owner_id")
_TERMS = ("base_currency", "valid_for_hours")


class ExchangeReader:
    """Exchanges as a viewer may see them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def of(
        self, username: str, viewer_id: UUID | None, as_of: datetime | None
    ) -> AnyRow | None:
        """That member's board.

        Its `lines` hold what `LINE` names, by currency and with numbers as text; NULL without any.
        None when nobody is found; a row whose `id` is NULL without a board.
        """
        return _one_of(await self.reader.execute(*_board_of(username, viewer_id, as_of)))

    async def own(self, user_id: UUID) -> AnyRow | None:
        """The member's own board, in such a row."""
        return _one_of(await self.reader.execute(*_own_board(user_id)))

    async def history(self, exchange_id: UUID, span: Span, page: PageRequest) -> Sequence[AnyRow]:
        """Up to `limit + 1` changes of a currency, or hours or days with changes."""
        within = [
            RateEvent.exchange_id == exchange_id,
            RateEvent.currency == span.currency,
            RateEvent.at >= span.first,
        ]
        if span.end is not None:
            within.append(RateEvent.at < span.end)
        if span.group is Group.EVENT:
            columns = RateEvent.__table__.columns
            statement = page.window(select(*columns).where(*within), RateEvent.id)
        else:
            buckets = _buckets(span.group, within).subquery("buckets")
            statement = page.window(select(buckets), buckets.c.id)
        return rows_of(await self.reader.execute(statement))

    async def events_after(self, exchange_id: UUID, seq: int, most: int) -> Sequence[AnyRow]:
        """Up to `most` changes of all boards beyond that one, board after board."""
        statement: AnySelect = (
            select(*RateEvent.__table__.columns)
            .where(tuple_(RateEvent.exchange_id, RateEvent.seq) > (exchange_id, seq))
            .order_by(RateEvent.exchange_id, RateEvent.seq)
            .limit(most)
        )
        return rows_of(await self.reader.execute(statement))

    async def head(self, username: str, viewer_id: UUID | None) -> AnyRow | None:
        """`(id, owner_id, confirmed_now, valid_now, seq, hash)` of that member's board.

        None when nobody with a board is found; `seq` is NULL before the first change.
        """
        last = (
            select(RateEvent.seq, RateEvent.hash)
            .where(RateEvent.exchange_id == Exchange.id)
            .order_by(RateEvent.seq.desc())
            .limit(1)
            .lateral("last")
        )
        statement: AnySelect = (
            select(
                Exchange.id,
                Exchange.owner_id,
                Exchange.confirmed_at.label("confirmed_now"),
                Exchange.valid_for_hours.label("valid_now"),
                *last.c,
            )
            .join(User, User.id == Exchange.owner_id)
            .outerjoin(last, true())
            .where(named(username), visible_to(viewer_id))
        )
        return (await self.reader.execute(statement)).one_or_none()

    async def changes(self, exchange_id: UUID, first: int, most: int) -> Sequence[AnyRow]:
        """Up to `most` changes of the board, from the number `first` on."""
        statement: AnySelect = (
            select(*RateEvent.__table__.columns)
            .where(RateEvent.exchange_id == exchange_id, RateEvent.seq >= first)
            .order_by(RateEvent.seq)
            .limit(most)
        )
        return rows_of(await self.reader.execute(statement))

    async def has_event(self, seq: int, digest: bytes) -> bool:
        """Whether a board has a change with that number and hash."""
        statement: AnySelect = select(
            exists().where(RateEvent.seq == seq, RateEvent.hash == digest)
        )
        return bool((await self.reader.execute(statement)).scalar_one())

    async def ids_after(self, exchange_id: UUID, most: int) -> Sequence[UUID]:
        """Up to `most` boards beyond that one."""
        statement = (
            select(Exchange.id).where(Exchange.id > exchange_id).order_by(Exchange.id).limit(most)
        )
        return (await self.reader.execute(statement)).scalars().all()

    async def strange_lines(self, exchange_ids: Sequence[UUID]) -> Sequence[AnyRow]:
        """`(id, currency)` of lines of these boards that are not what the last change left."""
        names = ("base_currency", *LINE)
        among = Exchange.id == any_(literal(list(exchange_ids), ARRAY(Uuid())))
        last = _left_by_changes(names, None)
        left = select(Exchange.id, *last.c).join(last, true()).where(among)
        shown = (
            select(Exchange.id, *(getattr(ExchangeRate, name) for name in names))
            .join(ExchangeRate, ExchangeRate.exchange_id == Exchange.id)
            .where(among, ExchangeRate.valid_to.is_(None))
        )
        halves = (except_(left, shown).subquery(), except_(shown, left).subquery())
        either = union(*(select(half.c.id, half.c.currency) for half in halves))
        return rows_of(await self.reader.execute(either))


@built_once
def _board_of(username: str, viewer_id: UUID | None, as_of: datetime | None) -> AnySelect:
    return _boards(and_(named(username), visible_to(viewer_id)), as_of)


@built_once
def _own_board(user_id: UUID) -> AnySelect:
    return _boards(User.id == user_id, None)


def _boards(whose: ColumnElement[bool], as_of: datetime | None) -> AnySelect:
    terms = _terms() if as_of is None else terms_at(as_of)
    lines = _lines() if as_of is None else _left_by_changes(LINE, as_of)
    statement: AnySelect = (
        select(*BOARD, *OWNER, *terms.c, together(lines))
        .select_from(User)
        .outerjoin(Exchange, Exchange.owner_id == User.id)
        .outerjoin(terms, true())
        .where(whose)
    )
    return statement


class ExchangeRepository:
    """Writes boards and their history; whoever does has locked the board first."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def lock(self, owner_id: UUID) -> AnyRow | None:
        """`(id, version, base_currency, valid_for_hours, confirmed_at)` of the board, locked."""
        statement = (
            select(
                Exchange.id,
                Exchange.version,
                Exchange.base_currency,
                Exchange.valid_for_hours,
                Exchange.confirmed_at,
            )
            .where(Exchange.owner_id == owner_id)
            .with_for_update(key_share=True)
        )
        return (await self.session.execute(statement)).one_or_none()

    async def open(self, owner_id: UUID, values: Mapping[str, Any]) -> bool | None:
        """Begin an empty board, locked; False when there is one already, None for nobody."""
        owner = (
            update(User)
            .where(User.id == owner_id, User.suspended_at.is_(None))
            .values(has_exchange=True)
            .returning(User.id)
        )
        if (await self.session.execute(owner)).first() is None:
            return None
        statement = (
            postgresql.insert(Exchange)
            .values(owner_id=owner_id, version=0, **values)
            .on_conflict_do_nothing(index_elements=["owner_id"])
            .returning(Exchange.id)
        )
        return (await self.session.execute(statement)).first() is not None

    async def replace(self, exchange_id: UUID, values: Mapping[str, Any]) -> None:
        """Put `values` in place of what the board said about itself, as another version."""
        statement = update(Exchange).where(Exchange.id == exchange_id)
        await self.session.execute(statement.values(**values, version=Exchange.version + 1))

    async def confirm(self, exchange_id: UUID, values: Mapping[str, Any]) -> None:
        """Have the board hold since `confirmed_at`, and its owner told at `remind_at`."""
        await self.session.execute(
            update(Exchange).where(Exchange.id == exchange_id).values(**values)
        )

    async def claim_reminders(self, moment: datetime, most: int) -> Sequence[UUID]:
        """Whom to remind now, up to `most` boards; they are not due any more."""
        due = (
            select(Exchange.id)
            .where(Exchange.remind_at <= moment)
            .order_by(Exchange.remind_at)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        statement = (
            update(Exchange)
            .where(Exchange.id == due.c.id)
            .values(remind_at=null())
            .returning(Exchange.owner_id)
        )
        return (await self.session.execute(statement)).scalars().all()

    async def note_confirmation(
        self, exchange_id: UUID, moment: datetime, *, base_currency: str, valid_for_hours: int
    ) -> None:
        """Keep in mind what was said to hold since then."""
        await self.session.execute(
            insert(ExchangeConfirmation).values(
                exchange_id=exchange_id,
                at=moment,
                base_currency=base_currency,
                valid_for_hours=valid_for_hours,
            )
        )

    async def lines(self, exchange_id: UUID) -> Sequence[AnyRow]:
        """The lines of the board, with their base."""
        columns = (getattr(ExchangeRate, name) for name in (*LINE, "base_currency"))
        statement: AnySelect = select(*columns).where(
            ExchangeRate.exchange_id == exchange_id, ExchangeRate.valid_to.is_(None)
        )
        return (await self.session.execute(statement)).all()

    async def last_event(self, exchange_id: UUID) -> AnyRow | None:
        """`(id, seq, hash)` of the newest change."""
        statement = (
            select(RateEvent.id, RateEvent.seq, RateEvent.hash)
            .where(RateEvent.exchange_id == exchange_id)
            .order_by(RateEvent.seq.desc())
            .limit(1)
        )
        return (await self.session.execute(statement)).one_or_none()

    async def add_events(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append to the history."""
        await self.session.execute(insert(RateEvent).values(list(rows)))

    async def replace_lines(
        self,
        exchange_id: UUID,
        gone: Collection[str],
        fresh: Sequence[Mapping[str, Any]],
        moment: datetime,
    ) -> None:
        """Show these lines from `moment` on in place of those of the currencies that are `gone`."""
        of_board = ExchangeRate.exchange_id == exchange_id
        await self.session.execute(
            delete(ExchangeRate).where(of_board, ExchangeRate.valid_to < moment - _KEPT)
        )
        await self.session.execute(
            update(ExchangeRate)
            .where(of_board, ExchangeRate.valid_to.is_(None), ExchangeRate.currency.in_(list(gone)))
            .values(valid_to=moment)
        )
        if fresh:
            rows = [
                {"id": new_id(), "exchange_id": exchange_id, "valid_from": moment, **line}
                for line in fresh
            ]
            await self.session.execute(insert(ExchangeRate).values(rows))

    async def remove(self, owner_id: UUID) -> UUID | None:
        """Delete the member's board with all that hangs on it; its id, None without one."""
        statement = delete(Exchange).where(Exchange.owner_id == owner_id).returning(Exchange.id)
        removed = (await self.session.execute(statement)).scalar_one_or_none()
        if removed is not None:
            await self.session.execute(
                update(User).where(User.id == owner_id).values(has_exchange=False)
            )
        return removed


def _one_of(result: Result[*tuple[Any, ...]]) -> AnyRow | None:
    rows = rows_of(result)
    return rows[0] if rows else None


def point(lat: float, lon: float) -> ColumnElement[Any]:
    """The place as PostGIS has it: the longitude first."""
    return func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)


def _terms() -> LateralFromClause:
    """What the board says of all its lines."""
    return _said().lateral("terms")


def _said() -> AnySelect:
    columns = (getattr(Exchange, name) for name in (*_TERMS, "confirmed_at"))
    return select(*columns).correlate(Exchange)


def _lines() -> LateralFromClause:
    return lines_where(ExchangeRate.valid_to.is_(None))


def lines_where(*conditions: ColumnElement[bool]) -> LateralFromClause:
    """Lines of the board."""
    return (
        select(*(getattr(ExchangeRate, name) for name in LINE))
        .where(ExchangeRate.exchange_id == Exchange.id, *conditions)
        .correlate(Exchange)
        .lateral("lines")
    )


def together(lines: LateralFromClause) -> ColumnElement[Any]:
    """All `lines` of a board in one column, so that the rest of the board is sent only once."""
    line = func.row(*(_as_shown(lines.c[name]) for name in LINE))
    by_currency = postgresql.aggregate_order_by(line, lines.c.currency)
    return (
        select(func.array_agg(by_currency))
        .select_from(lines)
        .correlate(Exchange)
        .scalar_subquery()
        .label("lines")
    )


def _as_shown(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(value, Text) if isinstance(value.type, Numeric) else value


def terms_at(moment: datetime) -> LateralFromClause:
    """What the last confirmation until then said; no row before the first.

    The board itself says what the very last one was: only if it came later others are looked at.
    """
    columns = (getattr(ExchangeConfirmation, name) for name in _TERMS)
    earlier = (
        select(*columns, ExchangeConfirmation.at)
        .where(
            Exchange.confirmed_at > moment,
            ExchangeConfirmation.exchange_id == Exchange.id,
            ExchangeConfirmation.at <= moment,
        )
        .order_by(ExchangeConfirmation.at.desc())
        .limit(1)
        .correlate(Exchange)
    )
    return union_all(_said().where(Exchange.confirmed_at <= moment), earlier).lateral("terms")


def _left_by_changes(names: Sequence[str], moment: datetime | None) -> LateralFromClause:
    """The last change of each currency, until then if it says when, unless that took the line off.

    One step into an index for each currency there ever was, however long the history.
    """
    codes = (
        func.unnest(literal(list(codes_of_all_times()), ARRAY(String())))
        .table_valued(column("code", String), name="codes")
        .render_derived()
    )
    last = (
        select(*(getattr(RateEvent, name) for name in names))
        .where(
            RateEvent.exchange_id == Exchange.id,
            RateEvent.currency == codes.c.code,
            true() if moment is None else RateEvent.at <= moment,
        )
        .order_by(RateEvent.at.desc())
        .limit(1)
        .correlate(Exchange, codes)
        .lateral("last")
    )
    return (
        select(*last.c)
        .select_from(codes)
        .join(last, true())
        .where(or_(last.c.we_buy.isnot(None), last.c.we_sell.isnot(None)))
        .correlate(Exchange)
        .lateral("lines")
    )


def _buckets(group: Group, within: Sequence[ColumnElement[bool]]) -> AnySelect:
    """A row for each hour or day, base and unit; its `id` is that of its first change."""
    start = func.date_trunc(group.value, RateEvent.at, "UTC").label("start")
    columns: list[Any] = [
        _first(RateEvent.id, RateEvent.seq.asc()).label("id"),
        start,
        RateEvent.base_currency,
        RateEvent.unit,
    ]
    for side in (RateEvent.we_buy, RateEvent.we_sell):
        columns += [
            _first(side, RateEvent.seq.asc()).label(f"{side.key}_open"),
            func.max(side).label(f"{side.key}_high"),
            func.min(side).label(f"{side.key}_low"),
            _first(side, RateEvent.seq.desc()).label(f"{side.key}_close"),
        ]
    statement: AnySelect = (
        select(*columns).where(*within).group_by(start, RateEvent.base_currency, RateEvent.unit)
    )
    return statement


def _first(value: Any, order: ColumnElement[Any]) -> ColumnElement[Any]:  # noqa: ANN401
    """The first value of a group in that order, NULLs passed over."""
    values = func.array_agg(postgresql.aggregate_order_by(value, order), type_=ARRAY(value.type))
    return values.filter(value.isnot(None))[1]
