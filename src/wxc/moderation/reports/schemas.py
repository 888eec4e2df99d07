"""`ReportSummary`, `Reported…` and `ReportDetails` are output of `wxc reports`."""

from typing import Annotated
from uuid import UUID

from wxc.core.ids import Id
from wxc.core.text import Text
from wxc.core.times import Timestamp
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input, Schema
from wxc.models import ReportReason, ReportTarget

_EXAMPLE_ID = "0198c2a4-7c1e-7d3a-9f00-5c2e4a7b1d90"


class ReportCreate(Input):
    """A report to the operators."""

    model_config = example(
        {
            "target_type": "comment",
            "target_id": _EXAMPLE_ID,
            "reason": "fraud",
            "detail": "Takes a deposit and then stops answering.",
        }
    )

    target_type: ReportTarget
    """The kind of the reported object."""
    target_id: Id
    """The id of the reported object."""
    reason: ReportReason
    """The reason for the report."""
    detail: Annotated[str, Text(1000)] | None = None
    """More information for the operators."""


class Report(Schema):
    """Your report as the operators receive it."""

    model_config = example(
        {
            "target_type": "comment",
            "reason": "fraud",
            "detail": "Takes a deposit and then stops answering.",
        }
    )

    id: UUID
    target_type: ReportTarget
    """The kind of the reported object."""
    target_id: UUID
    """The id of the reported object."""
    reason: ReportReason
    """The reason for the report."""
    detail: str | None
    """More information for the operators; null if you sent none."""
    created_at: Timestamp


class ReportSummary(Schema):
    id: UUID
    reporter: str | None
    """The current username of the reporter; null if the account was deleted."""
    target_type: str
    target_id: UUID
    reason: str
    detail: str | None
    created_at: Timestamp
    closed_at: Timestamp | None
    closed_by: str | None
    note: str | None


class ReportedRate(Schema):
    """A line of a board, with its amounts as entered."""

    currency: str
    base_currency: str
    unit: int
    we_buy: str | None
    we_sell: str | None
    min_amount: str | None
    max_amount: str | None


class ReportedContent(Schema):
    """The content of the reported object."""

    author_id: UUID
    username: str
    """The author."""
    text: str | None
    version: int | None
    rates: list[ReportedRate] | None
    chain_head: str | None
    """The last rate event of a board, for `wxc verify-rates --head`."""


class ReportedSnapshot(ReportedContent):
    """The content when it was reported."""

    taken_at: Timestamp


class ReportDetails(Schema):
    report: ReportSummary
    target: ReportedContent | None
    """As it is now; null if the reported object no longer exists."""
    snapshots: list[ReportedSnapshot]
    """Oldest first; empty for reports from before snapshots were taken."""
