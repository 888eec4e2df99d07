"""What operators read about a report; as JSON it is what `--json` prints."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from wxc.core.times import Timestamp


class ReportSummary(BaseModel):
    """A report."""

    model_config = ConfigDict(use_attribute_docstrings=True)

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


class ReportedText(BaseModel):
    """What the target says now, and whose it is."""

    username: str
    text: str | None


class ReportFile(BaseModel):
    """A report, and what it is about where that can be shown and is still there."""

    report: ReportSummary
    target: ReportedText | None
