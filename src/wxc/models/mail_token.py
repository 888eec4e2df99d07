"""What the links in mails are good for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base


class MailToken(Base):
    """The right that a mailed link gives, once; of the token itself only the SHA-256 is here."""

    __tablename__ = "mail_tokens"

    mail_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The mail that carries it; no foreign key, since the mail is forgotten earlier."""
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(254))
    """Where the link went: the address that it proves."""
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime] = mapped_column()
    ended_at: Mapped[datetime | None]
    """Used, or void since a newer one was sent or the account has changed."""

    __table_args__ = (
        Index("ix_mail_tokens_user_id", user_id),
        Index("ix_mail_tokens_expires_at", expires_at),
        CheckConstraint("octet_length(digest) = 32", name="digest_length"),
    )
