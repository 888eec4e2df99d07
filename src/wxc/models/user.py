from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


def _trigram_index(name: str, key: Any) -> Index:  # noqa: ANN401 - a column or an expression
    operators = {name: "gin_trgm_ops"}
    title = f"ix_users_{name}_trigrams"
    return Index(title, key, postgresql_using="gin", postgresql_ops=operators)


class User(Base):
    """The transaction that inserts or deletes a counted row also updates the counter."""

    __tablename__ = "users"

    id: Mapped[IdKey]
    username: Mapped[str] = mapped_column(String(30))
    """As the user typed it."""
    username_folded: Mapped[str | None] = mapped_column(String(30))
    """`fold_identifier(username)`: unique, used for look-ups."""
    email: Mapped[str | None] = mapped_column(String(254))
    """As typed, except for the domain, which is in lower case and IDNA."""
    email_folded: Mapped[str | None] = mapped_column()
    """`fold_identifier(email)`: unique, used for look-ups."""
    email_verified_at: Mapped[datetime | None]
    pending_email: Mapped[str | None] = mapped_column(String(254))
    password_hash: Mapped[str | None]
    password_generation: Mapped[int] = mapped_column(default=0, server_default="0")
    """Incremented by each password change and reset: device cookies and failed logins of earlier
    generations no longer count."""
    display_name: Mapped[str | None] = mapped_column(String(50))
    display_name_folded: Mapped[str | None] = mapped_column(Text)
    """For searches: without accents, in lower case. Written by a trigger."""
    bio: Mapped[str | None] = mapped_column(String(500))
    avatar_url: Mapped[str | None] = mapped_column(String(2000))
    home_currency: Mapped[str | None] = mapped_column(String(3))
    followers_count: Mapped[int] = mapped_column(default=0, server_default="0")
    following_count: Mapped[int] = mapped_column(default=0, server_default="0")
    posts_count: Mapped[int] = mapped_column(default=0, server_default="0")
    has_exchange: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Also true for an expired board."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Incremented when the settings are replaced; not by counters."""
    username_changes: Mapped[list[datetime]] = mapped_column(
        ARRAY(DateTime(timezone=True)), default=list, server_default="{}"
    )
    """When the username was changed, during the last year."""
    suspended_at: Mapped[datetime | None] = mapped_column()
    """When the user was suspended and so hidden from everyone; deleted users stay suspended."""
    erase_at: Mapped[datetime | None] = mapped_column()
    """When the worker next purges the rows of a deleted account; NULL if it is not deleted."""
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        Index("uq_users_username_folded", username_folded, unique=True),
        Index("uq_users_email_folded", email_folded, unique=True),
        # Used by the previous release; to be dropped in the next one.
        Index("uq_users_username_lower", func.lower(username), unique=True),
        Index("uq_users_email_lower", func.lower(email), unique=True),
        # For searches by prefix, in code point order, and by similarity. Those of `display_name`
        # are used by the previous release; to be dropped in the next one.
        Index("ix_users_username_prefix", func.left(func.lower(username).collate("C"), 30), "id"),
        Index(
            "ix_users_display_name_prefix",
            func.left(func.lower(display_name).collate("C"), 30),
            "id",
        ),
        _trigram_index("username", func.lower(username).label("username")),
        _trigram_index("display_name", func.lower(display_name).label("display_name")),
        Index(
            "ix_users_display_name_folded_prefix",
            func.left(display_name_folded.collate("C"), 30),
            "id",
        ),
        _trigram_index("display_name_folded", display_name_folded),
        CheckConstraint("username ~ '^[A-Za-z0-9_]{3,30}$'", name="username_form"),
        # Checks an id for a suspension without reading the user's row; has few entries.
        Index("ix_users_suspended", "id", postgresql_where=suspended_at.isnot(None)),
        Index("ix_users_erase_at", erase_at, postgresql_where=erase_at.isnot(None)),
        CheckConstraint(
            "erase_at IS NOT NULL OR (email IS NOT NULL AND password_hash IS NOT NULL)",
            name="can_log_in",
        ),
        CheckConstraint(
            "erase_at IS NULL OR (suspended_at IS NOT NULL AND num_nonnulls(email, "
            "email_verified_at, pending_email, password_hash, display_name, bio, avatar_url, "
            "home_currency) = 0)",
            name="nothing_personal_is_left",
        ),
        CheckConstraint(
            "followers_count >= 0 AND following_count >= 0 AND posts_count >= 0",
            name="counts_not_negative",
        ),
    )
