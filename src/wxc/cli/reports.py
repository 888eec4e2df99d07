from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from wxc.cli.engines import EXIT_CODES, Json, run, single_line
from wxc.cli.terminal import show, show_facts, show_json, show_table

if TYPE_CHECKING:
    from wxc.moderation.reports.schemas import ReportDetails, ReportedContent, ReportSummary

reports = typer.Typer(
    no_args_is_help=True, help="Read and close the reports by members.", epilog=EXIT_CODES
)
ReportId = Annotated[UUID, typer.Argument(metavar="ID", help="The report's id.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of reports.")]


@reports.command("list", epilog=EXIT_CODES)
def list_reports(
    limit: Limit = 50,
    *,
    include_closed: Annotated[
        bool, typer.Option("--all", help="Include closed reports, newest first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the open reports, oldest first."""
    from wxc.moderation.reports import service

    found = run(
        lambda engines: service.list_reports(
            engines.database, include_closed=include_closed, limit=limit
        )
    )
    if as_json:
        show_json(found)
    else:
        _show_reports(found)


@reports.command("show", epilog=EXIT_CODES)
def show_report(report_id: ReportId, *, as_json: Json = False) -> None:
    """Show a report: the content as it was reported, and its current state."""
    from wxc.moderation.reports import service

    details = run(lambda engines: service.show_report(engines.database, report_id))
    if as_json:
        show_json(details)
    else:
        _show_report(details)


@reports.command("close", epilog=EXIT_CODES)
def close_report(
    report_id: ReportId,
    note: Annotated[str, typer.Option(help="The finding or the action taken.")],
    *,
    as_json: Json = False,
) -> None:
    """Close a report. If it is closed already, show who closed it and change nothing."""
    from wxc.moderation.reports import service

    text = single_line(note, "--note")
    try:
        run(lambda engines: service.close_report(engines.database, report_id, text, engines.actor))
    except service.AlreadyClosed as closed:
        report = closed.report
        if as_json:
            show_json({"changed": False, "closed_by": report.closed_by})
        else:
            show(
                f"Already closed by {report.closed_by}, {report.closed_at:%Y-%m-%d}: {report.note}"
            )
    else:
        show_json({"changed": True}) if as_json else show("The report is closed.")


def _show_reports(found: "list[ReportSummary]") -> None:
    show_table(
        ("REPORT", "WHEN", "REASON", "ABOUT", "TARGET", "BY", "CLOSED"),
        (
            (
                *(report.id, report.created_at, report.reason),
                *(report.target_type, report.target_id, report.reporter, report.closed_at),
            )
            for report in found
        ),
    )


def _show_report(details: "ReportDetails") -> None:
    show_facts((name, value) for name, value in details.report)
    for snapshot in details.snapshots:
        version = "" if snapshot.version is None else f", version {snapshot.version}"
        _show_content(f"As reported {snapshot.taken_at:%Y-%m-%d %H:%M:%SZ}{version}", snapshot)
    if details.target is None:
        show("\nThe reported content was deleted or cannot be shown here.")
    else:
        _show_content("Current state", details.target)


def _show_content(title: str, content: "ReportedContent") -> None:
    show(f"\n{title}\n{content.username}:\n{content.text or '(no text)'}")
    if content.rates is not None:
        show_table(
            ("CURRENCY", "BASE", "UNIT", "WE BUY", "WE SELL", "MIN", "MAX"),
            (list(rate.model_dump().values()) for rate in content.rates),
        )
        show(f"Chain head: {content.chain_head}")
