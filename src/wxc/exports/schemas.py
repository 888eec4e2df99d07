"""What a member may take away."""

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict

from wxc.auth.schemas import Me
from wxc.core.decimals import DecimalText
from wxc.core.times import Timestamp
from wxc.exchange.schemas.boards import OpeningHours
from wxc.http.schemas import Schema
from wxc.notifications.schemas import Kind


class ExportedUsername(Schema):
    """A name that is, or once was, yours."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "amelia"}]})

    name: str
    """As it was typed."""
    taken_at: Timestamp
    """When it became yours."""


class ExportedSession(Schema):
    """A place where you are, or were, logged in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)",
                    "place": "Portugal",
                }
            ]
        }
    )

    id: UUID
    user_agent: str | None
    """What the browser calls itself."""
    place: str | None
    """Where it was used last, roughly."""
    created_at: Timestamp
    last_used_at: Timestamp
    """When it was opened or last refreshed."""
    revoked_at: Timestamp | None
    """When it was ended; null while it is not."""


class ExportedPost(Schema):
    """A post of yours."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "body": "Best rate for yen in Tanjong Pagar today?",
                    "likes_count": 8,
                    "comments_count": 3,
                }
            ]
        }
    )

    id: UUID
    body: str
    """As it is now."""
    created_at: Timestamp
    edited_at: Timestamp | None
    """When the body was last changed; null if never."""
    likes_count: int
    """How many like it."""
    comments_count: int
    """Comments and replies that are not deleted."""


class ExportedComment(Schema):
    """A comment of yours."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "body": "Which one was that?",
                    "likes_count": 2,
                    "replies_count": 0,
                }
            ]
        }
    )

    id: UUID
    post_id: UUID
    """The post that it is about."""
    parent_id: UUID | None
    """The comment that it replies to."""
    body: str
    """As it is now."""
    created_at: Timestamp
    edited_at: Timestamp | None
    """When the body was last changed; null if never."""
    likes_count: int
    """How many like it."""
    replies_count: int
    """Direct replies that are not deleted."""


class ExportedCommentLike(Schema):
    """A comment that you like."""

    comment_id: UUID
    """Which one."""
    created_at: Timestamp


class ExportedLike(Schema):
    """A post that you like."""

    post_id: UUID
    """Which one."""
    created_at: Timestamp


class ExportedPerson(Schema):
    """Somebody you have to do with."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"username": "kenji"}]})

    user_id: UUID
    """Who it is."""
    username: str | None
    """Null for who is not there for you."""
    created_at: Timestamp


class ExportedExchange(Schema):
    """Your exchange, without its rates, which are the last of their events."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Tan Exchange",
                    "base_currency": "SGD",
                    "address": "7 Wallich Street, Singapore",
                    "lat": 1.2764,
                    "lon": 103.8458,
                    "time_zone": "Asia/Singapore",
                    "valid_for_hours": 24,
                }
            ]
        }
    )

    name: str
    """What is above the door."""
    base_currency: str
    """What you pay and charge in."""
    description: str | None
    """What customers should know."""
    address: str | None
    """In words."""
    lat: float | None
    """Degrees north of the equator."""
    lon: float | None
    """Degrees east of Greenwich."""
    time_zone: str | None
    """By its name in the IANA database."""
    opening_hours: list[OpeningHours]
    """By the clock there."""
    valid_for_hours: int
    """How long the rates hold once confirmed."""
    created_at: Timestamp
    updated_at: Timestamp
    """When all of it was last put in place; confirming changes only the rates."""


class ExportedRateEvent(Schema):
    """A line of your board has changed; both sides null: it was taken off."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "seq": 41,
                    "currency": "JPY",
                    "base_currency": "SGD",
                    "unit": 100,
                    "we_buy": "0.8950",
                    "we_sell": "0.9134",
                }
            ]
        }
    )

    seq: int
    """Counts the changes of all lines of the board, without a gap."""
    at: Timestamp
    """When it was changed."""
    currency: str
    """The foreign currency."""
    base_currency: str
    """What you paid and charged in then."""
    unit: int
    """For how much of the foreign currency the rates are."""
    we_buy: DecimalText | None
    """What you paid."""
    we_sell: DecimalText | None
    """What you charged."""
    min_amount: DecimalText | None
    """In the foreign currency."""
    max_amount: DecimalText | None
    """In the foreign currency."""


class ExportedConfirmation(Schema):
    """You have said that your board holds."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"base_currency": "SGD", "valid_for_hours": 24}]}
    )

    at: Timestamp
    """When you said so."""
    base_currency: str
    """What you paid and charged in then."""
    valid_for_hours: int
    """For how long it held."""


class ExportedReport(Schema):
    """Something that you have reported."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"target_type": "comment", "reason": "fraud"}]}
    )

    target_type: Literal["user", "post", "comment", "exchange"]
    """What it is."""
    target_id: UUID
    """Its id."""
    reason: Literal["spam", "abuse", "illegal", "fraud", "other"]
    """Why operators should look at it."""
    detail: str | None
    """What you added."""
    created_at: Timestamp


class ExportedNotification(Schema):
    """Something that you were told of."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"type": "follow"}]})

    type: Kind
    """What happened."""
    actor_id: UUID | None
    """Who did it; null where nobody did."""
    post_id: UUID | None
    """The post that it happened to."""
    comment_id: UUID | None
    """The comment that was written or liked."""
    created_at: Timestamp
    read_at: Timestamp | None
    """When you marked it as read."""


class Export(Schema):
    """All that your account owns. Passwords and tokens are in nothing that leaves us."""

    exported_at: Timestamp
    """When it was read."""
    account: Me
    """What `GET /settings` shows."""
    usernames: list[ExportedUsername]
    """The names that are kept for you."""
    sessions: list[ExportedSession]
    """Where you are, and lately were, logged in."""
    posts: list[ExportedPost]
    """What you have written."""
    comments: list[ExportedComment]
    """What you have said to posts."""
    comment_likes: list[ExportedCommentLike]
    """Which comments you like."""
    likes: list[ExportedLike]
    """Which posts you like."""
    following: list[ExportedPerson]
    """Whom you follow."""
    followers: list[ExportedPerson]
    """Who follows you."""
    blocks: list[ExportedPerson]
    """Whom you block."""
    mutes: list[ExportedPerson]
    """Whom you mute."""
    exchanges: list[ExportedExchange]
    """Your board; one at most."""
    rate_events: list[ExportedRateEvent]
    """All that its lines have said."""
    exchange_confirmations: list[ExportedConfirmation]
    """When you said that it holds."""
    reports: list[ExportedReport]
    """What you have reported."""
    notifications: list[ExportedNotification]
    """What you were told of."""
