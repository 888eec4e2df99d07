from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.policies import MemberQuota
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.db.database import Database
from wxc.db.handle import Handle
from wxc.db.session import Session
from wxc.http.rate_limits import RateLimiter
from wxc.idempotency.service import IdempotentRequest, store_response, stored_response
from wxc.models import AuditKind, ReportTarget
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor
from wxc.moderation.reports import repository
from wxc.moderation.reports.errors import TargetNotFound
from wxc.moderation.reports.repository import (
    ReportRow,
    TargetText,
    newest_reports,
    open_reports,
    report_by_id,
    target_text,
    visible_target,
)
from wxc.moderation.reports.schemas import (
    Report,
    ReportCreate,
    ReportDetails,
    ReportedText,
    ReportSummary,
)


class NoSuchReport(Exception):  # noqa: N818 - a fact, not an error
    """No report has this id."""  # printed by `wxc`


class AlreadyClosed(Exception):  # noqa: N818 - a fact, not an error
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

    Raises `TargetNotFound` and `RateLimited`.
    """
    if previous := await stored_response(session, attempt):
        raise previous  # it contains only data sent by the reporter
    target = visible_target(report.target_id, me.id, kind=report.target_type)
    if await session.fetch_one(target) is None:
        raise TargetNotFound
    hit = auth.policies.member(MemberQuota.REPORTS, me.id, is_verified=me.is_verified)
    await limiter.count(hit)
    row = await session.fetch_one(
        repository.upsert_report(
            new_id(),
            me.id,
            report.target_type,
            report.target_id,
            report.reason,
            report.detail,
            clock.now(),
        )
    )
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
    """A report and the current text of its target; raises `NoSuchReport`."""
    row = await database.primary.fetch_one(report_by_id(report_id))
    if row is None:
        raise NoSuchReport
    target = await _target_text(database.primary, row)
    text = ReportedText(username=target.username, text=target.text) if target else None
    return ReportDetails(report=_present(row), target=text)


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


async def _target_text(db: Handle, row: ReportRow) -> TargetText | None:
    """None if the target is deleted or is an exchange, which has no text."""
    kind = ReportTarget(row.target_type)
    if kind is ReportTarget.EXCHANGE:
        return None
    return await db.fetch_one(target_text(row.target_id, kind=kind))


def _present(row: ReportRow) -> ReportSummary:
    return ReportSummary.model_validate(row, from_attributes=True)
