"""Answers that are given again to who repeats a request."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt


class IdempotencyKey(Base):
    """The first answer to a member's request under a key, kept for a day or until its subject goes.

    `post_id` has a whole post take the answers about it along; a comment's are removed with it.
    """

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    route: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    """A keyed hash of what was sent."""
    status: Mapped[int] = mapped_column(SmallInteger)
    location: Mapped[str | None] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID] = mapped_column()
    """What the request has made, whatever that is."""
    post_id: Mapped[UUID | None] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    """The post that it is, or belongs to."""
    created_at: Mapped[CreatedAt] = mapped_column()

    __table_args__ = (
        Index("ix_idempotency_keys_subject_id", subject_id),
        Index("ix_idempotency_keys_post_id", post_id),
        Index("ix_idempotency_keys_created_at", created_at),
        CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint_length"),
    )
