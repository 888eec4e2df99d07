from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import Report, ReportReason, ReportTarget, RowId, User, columns


class OwnReport(NamedTuple):
    """A report as its reporter sees it."""

    id: UUID
    target_type: str
    target_id: UUID
    reason: str
    detail: str | None
    created_at: datetime


class ReportRow(NamedTuple):
    """A report as operators see it."""

    id: UUID
    reporter: str | None
    target_type: str
    target_id: UUID
    reason: str
    detail: str | None
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    note: str | None


@prepared(ReportRow)
def open_reports(limit: int) -> AnySelect:
    """Open reports, oldest first."""
    return _reports().where(Report.closed_at.is_(None)).order_by(Report.id).limit(bind(limit))


@prepared(ReportRow)
def newest_reports(limit: int) -> AnySelect:
    """Open and closed reports, newest first."""
    return _reports().order_by(Report.id.desc()).limit(bind(limit))


@prepared(ReportRow)
def report_by_id(report_id: UUID) -> AnySelect:
    return _reports().where(Report.id == report_id)


@prepared(OwnReport)
def upsert_report(
    report_id: UUID,
    reporter_id: UUID,
    target_type: ReportTarget,
    target_id: UUID,
    reason: ReportReason,
    detail: str | None,
    moment: datetime,
) -> ReturningInsert[UUID, str, UUID, str, str | None, datetime]:
    """Insert a report, or update the open report of this reporter about this target."""
    report = insert(Report).values(
        id=report_id,
        reporter_id=reporter_id,
        target_type=target_type,
        target_id=target_id,
        reason=reason,
        detail=detail,
        created_at=moment,
    )
    return report.on_conflict_do_update(
        index_elements=(Report.reporter_id, Report.target_type, Report.target_id),
        index_where=Report.closed_at.is_(None),
        set_={name: report.excluded[name] for name in ("reason", "detail")},
    ).returning(*columns(Report, OwnReport))


@prepared(RowId)
def close_report(
    report_id: UUID, closed_by: str, note: str, moment: datetime
) -> ReturningUpdate[UUID]:
    """Close a report; no row if it does not exist or is already closed."""
    return (
        update(Report)
        .where(Report.id == report_id, Report.closed_at.is_(None))
        .values(closed_at=moment, closed_by=closed_by, note=note)
        .returning(Report.id)
    )


def _reports() -> AnySelect:
    return select(
        Report.id,
        User.username.label("reporter"),
        Report.target_type,
        Report.target_id,
        Report.reason,
        Report.detail,
        Report.created_at,
        Report.closed_at,
        Report.closed_by,
        Report.note,
    ).outerjoin(User, User.id == Report.reporter_id)
