"""What a member may take away."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from wxc.auth.schemas import Me
from wxc.core.decimals import DecimalText
from wxc.core.times import Timestamp
from wxc.exchange.schemas import OpeningHours
from wxc.notifications.schemas import Kind


class ExportedUsername(BaseModel):
    """A name that is, or once was, yours."""

    name: str
    taken_at: Timestamp


class ExportedSession(BaseModel):
    """A place where you are, or were, logged in."""

    id: UUID
    user_agent: str | None
    place: str | None
    created_at: Timestamp
    last_used_at: Timestamp
    revoked_at: Timestamp | None


class ExportedPost(BaseModel):
    """A post of yours."""

    id: UUID
    body: str
    created_at: Timestamp
    edited_at: Timestamp | None
    likes_count: int
    comments_count: int


class ExportedComment(BaseModel):
    """A comment of yours."""

    id: UUID
    post_id: UUID
    parent_id: UUID | None
    body: str
    created_at: Timestamp
    edited_at: Timestamp | None
    likes_count: int
    replies_count: int


class ExportedCommentLike(BaseModel):
    """A comment that you like."""

    comment_id: UUID
    created_at: Timestamp


class ExportedLike(BaseModel):
    """A post that you like."""

    post_id: UUID
    created_at: Timestamp


class ExportedPerson(BaseModel):
    """Somebody you have to do with."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    user_id: UUID
    username: str | None
    """Null for who is not there for you."""
    created_at: Timestamp


class ExportedExchange(BaseModel):
    """Your exchange, without its rates, which are the last of their events."""

    name: str
    base_currency: str
    description: str | None
    address: str | None
    lat: float | None
    lon: float | None
    time_zone: str | None
    opening_hours: list[OpeningHours]
    valid_for_hours: int
    created_at: Timestamp
    updated_at: Timestamp


class ExportedRateEvent(BaseModel):
    """A line of your board has changed; both sides null: it was taken off."""

    seq: int
    at: Timestamp
    currency: str
    base_currency: str
    unit: int
    we_buy: DecimalText | None
    we_sell: DecimalText | None
    min_amount: DecimalText | None
    max_amount: DecimalText | None


class ExportedConfirmation(BaseModel):
    """You have said that your board holds."""

    at: Timestamp
    base_currency: str
    valid_for_hours: int


class ExportedReport(BaseModel):
    """Something that you have reported."""

    target_type: Literal["user", "post", "comment", "exchange"]
    target_id: UUID
    reason: Literal["spam", "abuse", "illegal", "fraud", "other"]
    detail: str | None
    created_at: Timestamp


class ExportedNotification(BaseModel):
    """Something that you were told of."""

    type: Kind
    actor_id: UUID | None
    post_id: UUID | None
    comment_id: UUID | None
    created_at: Timestamp
    read_at: Timestamp | None


class Export(BaseModel):
    """All that your account owns. Passwords and tokens are in nothing that leaves us."""

    exported_at: Timestamp
    account: Me
    usernames: list[ExportedUsername]
    sessions: list[ExportedSession]
    posts: list[ExportedPost]
    comments: list[ExportedComment]
    comment_likes: list[ExportedCommentLike]
    likes: list[ExportedLike]
    following: list[ExportedPerson]
    followers: list[ExportedPerson]
    blocks: list[ExportedPerson]
    mutes: list[ExportedPerson]
    exchanges: list[ExportedExchange]
    rate_events: list[ExportedRateEvent]
    exchange_confirmations: list[ExportedConfirmation]
    reports: list[ExportedReport]
    notifications: list[ExportedNotification]
