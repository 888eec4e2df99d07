from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class ReportSnapshot(Base):
    """What a report was about when it was sent; outlives the target and its author's account."""

    __tablename__ = "report_snapshots"

    id: Mapped[IdKey]
    report_id: Mapped[UUID] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"))
    author_id: Mapped[UUID]
    """No foreign key: the account can be deleted before a review."""
    username: Mapped[str] = mapped_column(String(30))
    """The author's at that time."""
    text: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int | None]
    """NULL for a comment, which has none."""
    rates: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    """The lines of a board, amounts as entered; NULL for other targets."""
    chain_head: Mapped[str | None] = mapped_column(String(80))
    """The last rate event of a board, as in `wxc verify-rates --head`."""
    taken_at: Mapped[CreatedAt]

    __table_args__ = (
        Index("ix_report_snapshots_report_id_id", report_id, "id"),
        CheckConstraint("(rates IS NULL) = (chain_head IS NULL)", name="board_as_a_whole"),
    )
