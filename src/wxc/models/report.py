from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class ReportTarget(StrEnum):
    """The type of the reported object."""

    USER = "user"
    POST = "post"
    COMMENT = "comment"
    EXCHANGE = "exchange"


class ReportReason(StrEnum):
    """The reason for a report."""

    SPAM = "spam"
    ABUSE = "abuse"
    ILLEGAL = "illegal"
    FRAUD = "fraud"
    OTHER = "other"


class Report(Base):
    """A report to the operators; open until an operator closes it."""

    __tablename__ = "reports"

    id: Mapped[IdKey]
    reporter_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    """NULL once the reporter's account is deleted."""
    target_type: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[UUID]
    """No foreign key: the target is in one of several tables and can be deleted before a review."""
    reason: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str | None] = mapped_column(String(1000))
    created_at: Mapped[CreatedAt]
    closed_at: Mapped[datetime | None] = mapped_column()
    closed_by: Mapped[str | None] = mapped_column(String(64))
    """The operator, as `actor` in the audit trail."""
    note: Mapped[str | None] = mapped_column(String(1000))
    """The operator's findings and actions."""

    __table_args__ = (
        # The queue of open reports.
        Index("ix_reports_open", "id", postgresql_where=closed_at.is_(None)),
        Index("ix_reports_reporter_id", reporter_id),
        # Reporting a target again while the report is open replaces the text.
        Index(
            "uq_reports_open_of_reporter",
            reporter_id,
            target_type,
            "target_id",
            unique=True,
            postgresql_where=closed_at.is_(None),
        ),
        CheckConstraint(
            "target_type IN ('user', 'post', 'comment', 'exchange')", name="target_type_known"
        ),
        CheckConstraint(
            "reason IN ('spam', 'abuse', 'illegal', 'fraud', 'other')", name="reason_known"
        ),
        CheckConstraint(
            "(closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (note IS NULL)",
            name="closed_as_a_whole",
        ),
    )
