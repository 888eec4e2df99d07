"""The output of the operators' commands; `--json` prints these models."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from wxc.core.times import Timestamp
from wxc.http.schemas import Schema


class Account(Schema):
    """A member's account; never its password's hash."""

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
    """An account that shares a folded username or e-mail address with another one."""

    kind: str
    folded: str
    user_id: UUID
    value: str
    """As it was typed."""


class LiveSession(Schema):
    """A live session of a member."""

    id: UUID
    created_at: Timestamp
    last_used_at: Timestamp
    user_agent: str | None
    place: str | None


class Event(Schema):
    """One row of the audit trail."""

    model_config = ConfigDict(ser_json_bytes="hex")

    at: Timestamp
    event: str
    actor: str
    session_id: UUID | None
    address_hash: bytes | None
    """Equal for equal addresses; not reversible."""
    request_id: str | None
    detail: dict[str, Any]


class MemberDetails(Schema):
    """A member's account, sessions and audit events."""

    account: Account
    sessions: list[LiveSession]
    events: list[Event]


class Outcome(Schema):
    """The result of an operator's command."""

    username: str
    changed: bool
    """False if the account was in that state already."""
    sessions_ended: int
