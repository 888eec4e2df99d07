from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt


class IdempotencyKey(Base):
    """The first response to a request with a key; deleted after a day or with its subject.

    The foreign key `post_id` deletes it with a post; the deletion of a comment does so explicitly.
    """

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    route: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    """A keyed hash of the path and the body of the request."""
    status: Mapped[int] = mapped_column(SmallInteger)
    location: Mapped[str | None] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID] = mapped_column()
    """The id of the row that the request created, in any table."""
    post_id: Mapped[UUID | None] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    """The post that was created or commented on."""
    created_at: Mapped[CreatedAt] = mapped_column()

    __table_args__ = (
        Index("ix_idempotency_keys_subject_id", subject_id),
        Index("ix_idempotency_keys_post_id", post_id),
        Index("ix_idempotency_keys_created_at", created_at),
        CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint_length"),
    )
