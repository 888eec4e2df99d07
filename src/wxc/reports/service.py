"""Reporting; reading reports and closing them."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.audit import service as audit
from wxc.audit.actors import Actor
from wxc.auth.context import Auth, Principal
from wxc.core import clock
from wxc.core.database import AnyRow, Database
from wxc.core.limits import Throttle
from wxc.idempotency.service import Attempt, first_answer, keep_answer
from wxc.models import AuditKind, ReportTarget
from wxc.reports.errors import TargetNotFound
from wxc.reports.repository import ReportReader, ReportRepository
from wxc.reports.schemas import Report, ReportCreate, ReportedText, ReportFile, ReportSummary


class NoSuchReport(Exception):  # noqa: N818 - a fact
    """The id is no report's."""


class AlreadyClosed(Exception):  # noqa: N818 - a fact
    """Somebody has closed the report before; the argument is the report."""

    def __init__(self, report: ReportSummary) -> None:
        super().__init__(report.id)
        self.report = report


async def write_report(
    session: AsyncSession,
    auth: Auth,
    throttle: Throttle,
    me: Principal,
    report: ReportCreate,
    attempt: Attempt | None = None,
) -> Report:
    """Put what `me` sees before the operators; raises `TargetNotFound` and `RateLimited`.

    Told again of a thing that is still open, they read the later words.
    """
    if first := await first_answer(session, attempt):
        raise first  # it says nothing but what the member has said
    reports = ReportRepository(session)
    if not await reports.is_visible(report.target_type, report.target_id, me.id):
        raise TargetNotFound
    await throttle.count(auth.policies.report(me.id))
    written = Report(**dict((await reports.put(me.id, report.model_dump()))._mapping))
    await keep_answer(session, attempt, written, subject_id=written.id)
    return written


async def list_reports(database: Database, *, with_closed: bool, most: int) -> list[ReportSummary]:
    """The open ones, oldest first; or the newest of all."""
    async with database.guarding() as reader:
        reports = ReportReader(reader)
        rows = await (reports.newest(most) if with_closed else reports.open(most))
    return [_present(row) for row in rows]


async def show(database: Database, report_id: UUID) -> ReportFile:
    """A report with what its target says now; raises `NoSuchReport`."""
    async with database.guarding() as reader:
        reports = ReportReader(reader)
        row = await reports.by_id(report_id)
        if row is None:
            raise NoSuchReport
        target = await _target(reports, row)
    return ReportFile(report=_present(row), target=target)


async def close(database: Database, report_id: UUID, note: str, actor: Actor) -> ReportSummary:
    """Close a report; raises `NoSuchReport`, and `AlreadyClosed` without changing anything."""
    async with database.transaction() as session:
        is_closed = await ReportRepository(session).close(
            report_id, by=actor.name, note=note, moment=clock.now()
        )
        if is_closed:
            await audit.record(session, AuditKind.REPORT_CLOSED, actor, report=str(report_id))
        row = await ReportReader(session).by_id(report_id)
    if row is None:
        raise NoSuchReport
    if not is_closed:
        raise AlreadyClosed(_present(row))
    return _present(row)


async def _target(reports: ReportReader, row: AnyRow) -> ReportedText | None:
    match row.target_type:
        case ReportTarget.USER:
            found = await reports.text_of_user(row.target_id)
        case ReportTarget.POST:
            found = await reports.text_of_post(row.target_id)
        case ReportTarget.COMMENT:
            found = await reports.text_of_comment(row.target_id)
        case _:
            return None
    return ReportedText(username=found.username, text=found.text) if found else None


def _present(row: AnyRow) -> ReportSummary:
    return ReportSummary(**dict(row._mapping))
