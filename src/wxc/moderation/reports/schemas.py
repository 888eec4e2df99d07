"""Reports as members send and receive them, and as operators see them (also as `--json`)."""

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
    """What operators should look at, and why."""

    model_config = example(
        {
            "target_type": "comment",
            "target_id": _EXAMPLE_ID,
            "reason": "fraud",
            "detail": "Asks for a deposit, and is then never seen again.",
        }
    )

    target_type: ReportTarget
    """What it is."""
    target_id: Id
    """Its id."""
    reason: ReportReason
    """Why operators should look at it."""
    detail: Annotated[str, Text(1000)] | None = None
    """What operators should know."""


class Report(Schema):
    """What you have reported, as operators will read it."""

    model_config = example(
        {
            "target_type": "comment",
            "reason": "fraud",
            "detail": "Asks for a deposit, and is then never seen again.",
        }
    )

    id: UUID
    target_type: ReportTarget
    """What it is."""
    target_id: UUID
    """Its id."""
    reason: ReportReason
    """Why operators should look at it."""
    detail: str | None
    """What operators should know; null where you said nothing."""
    created_at: Timestamp


class ReportSummary(Schema):
    """A report."""

    id: UUID
    reporter: str | None
    """Their username now; null once the account has gone."""
    target_type: str
    target_id: UUID
    reason: str
    detail: str | None
    created_at: Timestamp
    closed_at: Timestamp | None
    closed_by: str | None
    note: str | None


class ReportedText(Schema):
    """The current text of the target, and its author."""

    username: str
    text: str | None


class ReportDetails(Schema):
    """A report, and its target if that still exists and has a text."""

    report: ReportSummary
    target: ReportedText | None
