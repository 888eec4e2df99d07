"""Members."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class User(Base):
    """One member; the counters move in the statement that adds or removes what they count."""

    __tablename__ = "users"

    id: Mapped[IdKey]
    username: Mapped[str] = mapped_column(String(30))
    """As typed; unique and looked up in lower case."""
    email: Mapped[str] = mapped_column(String(254))
    """Domain in lower case and IDNA; unique in lower case as a whole."""
    email_verified_at: Mapped[datetime | None]
    pending_email: Mapped[str | None] = mapped_column(String(254))
    password_hash: Mapped[str]
    display_name: Mapped[str | None] = mapped_column(String(50))
    bio: Mapped[str | None] = mapped_column(String(500))
    avatar_url: Mapped[str | None] = mapped_column(String(2000))
    home_currency: Mapped[str | None] = mapped_column(String(3))
    followers_count: Mapped[int] = mapped_column(default=0, server_default="0")
    following_count: Mapped[int] = mapped_column(default=0, server_default="0")
    posts_count: Mapped[int] = mapped_column(default=0, server_default="0")
    has_exchange: Mapped[bool] = mapped_column(default=False, server_default="false")
    suspended_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        Index("uq_users_username_lower", func.lower(username), unique=True),
        Index("uq_users_email_lower", func.lower(email), unique=True),
        CheckConstraint("username ~ '^[A-Za-z0-9_]{3,30}$'", name="username_form"),
        CheckConstraint(
            "followers_count >= 0 AND following_count >= 0 AND posts_count >= 0",
            name="counts_not_negative",
        ),
    )
