from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base


class MailToken(Base):
    """The single-use token of a link in a mail; only its SHA-256 digest is stored."""

    __tablename__ = "mail_tokens"

    mail_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The mail with the link; no foreign key, since the mail is deleted earlier."""
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(254))
    """The recipient's address, which the link verifies."""
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime] = mapped_column()
    ended_at: Mapped[datetime | None]
    """When it was used, or revoked by a newer token or a change of the account."""

    __table_args__ = (
        Index("ix_mail_tokens_user_id", user_id),
        Index("ix_mail_tokens_expires_at", expires_at),
        CheckConstraint("octet_length(digest) = 32", name="digest_length"),
    )
