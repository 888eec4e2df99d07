import json
from typing import Any
from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.policies import MemberQuota
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.rate_limits import RateLimiter
from wxc.idempotency.service import IdempotentRequest, store_response, stored_response
from wxc.models import AuditKind, ReportTarget
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor
from wxc.moderation.reports.errors import TargetNotFound
from wxc.moderation.reports.repository import reports as repository
from wxc.moderation.reports.repository.reports import (
    ReportRow,
    newest_reports,
    open_reports,
    report_by_id,
)
from wxc.moderation.reports.repository.targets import (
    SnapshotRow,
    TargetRow,
    insert_snapshot,
    reportable_target,
    snapshots_of,
    target_by_id,
)
from wxc.moderation.reports.schemas import (
    Report,
    ReportCreate,
    ReportDetails,
    ReportedContent,
    ReportedSnapshot,
    ReportSummary,
)


class NoSuchReport(Exception):  # noqa: N818 - an expected outcome
    """No report has this id."""  # printed by `wxc`


class AlreadyClosed(Exception):  # noqa: N818 - an expected outcome
    """`report` is the closed report, with operator and note."""

    def __init__(self, report: ReportSummary) -> None:
        super().__init__(report.id)
        self.report = report


async def write_report(
    session: Session,
    auth: Auth,
    limiter: RateLimiter,
    me: Principal,
    report: ReportCreate,
    attempt: IdempotentRequest | None = None,
) -> Report:
    """Report a target that `me` can see, or replace the text of an open report of it.

    The content of the target is kept in a snapshot.

    Raises `TargetNotFound` and `TooManyRequests`.
    """
    if previous := await stored_response(session, attempt):
        raise previous  # it contains only data sent by the reporter
    target = await session.fetch_one(
        reportable_target(report.target_id, me.id, kind=report.target_type)
    )
    if target is None:
        raise TargetNotFound
    hit = auth.policies.member(MemberQuota.REPORTS, me.id, is_verified=me.is_verified)
    await limiter.count(hit)
    moment = clock.now()
    (row,) = await session.fetch(
        repository.upsert_report(
            new_id(),
            me.id,
            report.target_type,
            report.target_id,
            report.reason,
            report.detail,
            moment,
        )
    )
    await session.fetch_one(insert_snapshot(new_id(), row.id, *target, moment))
    written = Report.model_validate(row, from_attributes=True)
    await store_response(session, attempt, written, subject_id=written.id)
    return written


async def list_reports(
    database: Database, *, include_closed: bool, limit: int
) -> list[ReportSummary]:
    """The oldest open reports, or the newest reports including closed ones."""
    reports = newest_reports(limit) if include_closed else open_reports(limit)
    return [_present(row) for row in await database.primary.fetch(reports)]


async def show_report(database: Database, report_id: UUID) -> ReportDetails:
    """A report, its snapshots and its target as it is now; raises `NoSuchReport`."""
    row = await database.primary.fetch_one(report_by_id(report_id))
    if row is None:
        raise NoSuchReport
    kind = ReportTarget(row.target_type)
    target = await database.primary.fetch_one(target_by_id(row.target_id, kind=kind))
    snapshots = await database.primary.fetch(snapshots_of(report_id))
    return ReportDetails(
        report=_present(row),
        target=ReportedContent(**_content(target)) if target else None,
        snapshots=[
            ReportedSnapshot(**_content(snapshot), taken_at=snapshot.taken_at)
            for snapshot in snapshots
        ],
    )


async def close_report(
    database: Database, report_id: UUID, note: str, actor: Actor
) -> ReportSummary:
    """Close a report; raises `NoSuchReport` or, without any change, `AlreadyClosed`."""
    async with database.transaction() as session:
        closing = repository.close_report(report_id, actor.name, note, clock.now())
        is_closed = await session.fetch_one(closing) is not None
        if is_closed:
            await audit.record(session, AuditKind.REPORT_CLOSED, actor, report=str(report_id))
        row = await session.fetch_one(report_by_id(report_id))
    if row is None:
        raise NoSuchReport
    if not is_closed:
        raise AlreadyClosed(_present(row))
    return _present(row)


def _content(row: TargetRow | SnapshotRow) -> dict[str, Any]:
    content = {name: getattr(row, name) for name in TargetRow._fields}
    return content | {"rates": None if row.rates is None else json.loads(row.rates)}


def _present(row: ReportRow) -> ReportSummary:
    return ReportSummary.model_validate(row, from_attributes=True)
