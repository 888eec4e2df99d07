"""What reports are about: as it stands now, and as it was reported."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Text,
    and_,
    cast,
    exists,
    func,
    insert,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningInsert

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.exchange.domain.chain import CHAIN_START
from wxc.models import (
    Comment,
    Exchange,
    ExchangeRate,
    Post,
    RateEvent,
    ReportSnapshot,
    ReportTarget,
    RowId,
    User,
)
from wxc.social.comments.repository.visibility import visible_comment
from wxc.social.users.visibility import is_active, visible_to

MAX_SNAPSHOTS = 5
"""Per report: a report that is repeated after each edit keeps the first ones."""


class TargetRow(NamedTuple):
    """The content of a target that can be reported."""

    author_id: UUID
    username: str
    text: str | None
    """Name and bio of a user; name, description and address of a board; else the body."""
    version: int | None
    rates: str | None
    """The lines of a board as a JSON array, ordered by currency."""
    chain_head: str | None


class SnapshotRow(NamedTuple):
    """A `TargetRow` of the time at which it was reported."""

    author_id: UUID
    username: str
    text: str | None
    version: int | None
    rates: str | None
    chain_head: str | None
    taken_at: datetime


@prepared(TargetRow)
def target_by_id(target_id: UUID, *, kind: ReportTarget) -> AnySelect:
    """No row for a tombstone."""
    if kind is ReportTarget.USER:
        return _target(kind).where(User.id == target_id)
    table = _TABLES[kind]
    author_id = table.owner_id if kind is ReportTarget.EXCHANGE else table.author_id
    return _target(kind).join_from(table, User, User.id == author_id).where(table.id == target_id)


@prepared(TargetRow)
def reportable_target(target_id: UUID, viewer_id: UUID, *, kind: ReportTarget) -> AnySelect:
    """No row if the viewer cannot see the target; blocks after it was written do not count.

    Nor for a tombstone, which has no text. A user is always from before a block.
    """
    target = _target(kind)
    if kind is ReportTarget.USER:
        return target.where(User.id == target_id, is_active())
    if kind is ReportTarget.COMMENT:
        written = aliased(Comment)  # a subquery of its own, since the predicates nest
        written_at = select(written.created_at).where(written.id == target_id).scalar_subquery()
        comment = visible_comment(target, target_id, viewer_id, at=written_at)
        return comment.where(Comment.deleted_at.is_(None))
    table = _TABLES[kind]
    author_id = table.owner_id if kind is ReportTarget.EXCHANGE else table.author_id
    return target.join_from(table, User, User.id == author_id).where(
        table.id == target_id, visible_to(viewer_id, at=table.created_at)
    )


@prepared(RowId)
def insert_snapshot(
    snapshot_id: UUID,
    report_id: UUID,
    author_id: UUID,
    username: str,
    text: str | None,
    version: int | None,
    rates: str | None,
    chain_head: str | None,
    moment: datetime,
) -> ReturningInsert[UUID]:
    """Insert a snapshot unless the report has one of the same content, or too many."""
    lines = cast(bind(rates), JSONB)
    of_report = ReportSnapshot.report_id == report_id
    is_known = exists().where(
        of_report,
        ReportSnapshot.text.is_not_distinct_from(text),
        ReportSnapshot.rates.is_not_distinct_from(lines),
        ReportSnapshot.chain_head.is_not_distinct_from(chain_head),
    )
    count = select(func.count()).select_from(ReportSnapshot).where(of_report).scalar_subquery()
    values: dict[str, Any] = {
        "id": bind(snapshot_id),
        "report_id": bind(report_id),
        "author_id": bind(author_id),
        "username": bind(username),
        "text": bind(text),
        "version": bind(version),
        "rates": lines,
        "chain_head": bind(chain_head),
        "taken_at": bind(moment),
    }
    row = select(*values.values()).where(and_(~is_known, count < MAX_SNAPSHOTS))
    return (
        insert(ReportSnapshot)
        .from_select(list(values), row, include_defaults=False)
        .returning(ReportSnapshot.id)
    )


@prepared(SnapshotRow)
def snapshots_of(report_id: UUID) -> AnySelect:
    """At most `MAX_SNAPSHOTS`, oldest first."""
    fields: list[Any] = [
        cast(ReportSnapshot.rates, Text).label("rates")
        if name == "rates"
        else getattr(ReportSnapshot, name)
        for name in SnapshotRow._fields
    ]
    snapshots = select(*fields).where(ReportSnapshot.report_id == report_id)
    return snapshots.order_by(ReportSnapshot.id).limit(MAX_SNAPSHOTS)


_TABLES: dict[ReportTarget, Any] = {
    ReportTarget.POST: Post,
    ReportTarget.COMMENT: Comment,
    ReportTarget.EXCHANGE: Exchange,
}


def _target(kind: ReportTarget) -> AnySelect:
    """The columns of a `TargetRow`; the caller adds the tables."""
    text: dict[ReportTarget, ColumnElement[Any]] = {
        ReportTarget.USER: _lines(User.display_name, User.bio),
        ReportTarget.POST: Post.body.expression,
        ReportTarget.COMMENT: Comment.body.expression,
        ReportTarget.EXCHANGE: _lines(Exchange.name, Exchange.description, Exchange.address),
    }
    version: dict[ReportTarget, ColumnElement[Any]] = {
        ReportTarget.USER: User.version.expression,
        ReportTarget.POST: Post.version.expression,
        ReportTarget.COMMENT: cast(null(), Integer),
        ReportTarget.EXCHANGE: Exchange.version.expression,
    }
    is_board = kind is ReportTarget.EXCHANGE
    return select(
        User.id.label("author_id"),
        User.username,
        text[kind].label("text"),
        version[kind].label("version"),
        (_rates() if is_board else cast(null(), Text)).label("rates"),
        (_chain_head() if is_board else cast(null(), String)).label("chain_head"),
    )


def _lines(*fields: Any) -> ColumnElement[Any]:  # noqa: ANN401 - columns
    """The fields that are not NULL, one a line; NULL without any."""
    return func.nullif(func.concat_ws("\n", *fields), "")


def _rates() -> ColumnElement[Any]:
    amounts = ("we_buy", "we_sell", "min_amount", "max_amount")
    pairs = [
        (name, getattr(ExchangeRate, name)) for name in ("currency", "base_currency", "unit")
    ] + [(name, cast(getattr(ExchangeRate, name), Text)) for name in amounts]
    line = func.json_build_object(*(part for pair in pairs for part in pair))
    lines = func.json_agg(aggregate_order_by(line, ExchangeRate.currency))
    rates = select(func.coalesce(cast(lines, Text), "[]")).where(
        ExchangeRate.exchange_id == Exchange.id, ExchangeRate.valid_to.is_(None)
    )
    return rates.correlate(Exchange).scalar_subquery()


def _chain_head() -> ColumnElement[Any]:
    """`seq:hash` of the last rate event."""
    position = func.concat(RateEvent.seq, ":", func.encode(RateEvent.hash, "hex"))
    last = select(position).where(RateEvent.exchange_id == Exchange.id)
    last = last.order_by(RateEvent.seq.desc()).limit(1).correlate(Exchange)
    return func.coalesce(last.scalar_subquery(), str(CHAIN_START))
