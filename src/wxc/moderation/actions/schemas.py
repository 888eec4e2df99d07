"""The output of the operators' commands; `--json` prints these models."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from wxc.core.times import Timestamp
from wxc.http.schemas import Schema


class Account(Schema):
    """A member's account, without the password hash."""

    id: UUID
    username: str
    email: str
    email_verified_at: Timestamp | None
    pending_email: str | None
    display_name: str | None
    created_at: Timestamp
    suspended_at: Timestamp | None
    posts_count: int
    followers_count: int
    following_count: int


class Duplicate(Schema):
    """An account that has the same folded username or e-mail address as another account."""

    kind: str
    """`username` or `email`."""
    folded: str
    user_id: UUID
    value: str
    """The stored value, before folding."""


class LiveSession(Schema):
    id: UUID
    created_at: Timestamp
    last_used_at: Timestamp
    user_agent: str | None
    place: str | None


class Event(Schema):
    model_config = ConfigDict(ser_json_bytes="hex")

    at: Timestamp
    event: str
    actor: str
    session_id: UUID | None
    address_hash: bytes | None
    """A keyed hash of the client's IP address."""
    request_id: str | None
    detail: dict[str, Any]


class MemberDetails(Schema):
    account: Account
    sessions: list[LiveSession]
    events: list[Event]


class Outcome(Schema):
    username: str
    changed: bool
    """False if the account was already in the requested state."""
    sessions_ended: int
