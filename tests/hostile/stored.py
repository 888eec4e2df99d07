"""Checks the database after hostile requests: counters and stored texts."""

from collections.abc import AsyncIterator
from dataclasses import asdict

from sqlalchemy import String, Text, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.hostile.corpus import CANARY

from wxc.core.config import Config
from wxc.db.recount import recount
from wxc.models import Base, User

# Columns with texts that members choose.
WRITTEN_BY_MEMBERS = {
    *("users.username", "users.username_folded", "users.email", "users.email_folded"),
    *("users.pending_email", "users.display_name", "users.display_name_folded"),
    *("users.bio", "users.avatar_url", "report_snapshots.text", "report_snapshots.username"),
    *("used_usernames.name", "posts.body", "comments.body", "sessions.user_agent"),
    *("exchanges.name", "exchanges.description", "exchanges.address"),
    *("reports.detail", "outbox_mails.address", "mail_tokens.address"),
    *("idempotency_keys.key", "idempotency_keys.body", "audit_events.request_id"),
}
MULTILINE = {
    *("users.bio", "posts.body", "comments.body", "exchanges.description", "reports.detail"),
    *("exchanges.address", "idempotency_keys.body", "report_snapshots.text"),
}
_CONTROLS = "[\\x01-\\x1f\\x7f-\\x9f\u2028\u2029\u202a-\u202e]"


async def stored_faults(config: Config, connection: AsyncConnection) -> AsyncIterator[str]:
    """Wrong counters, columns with a hostile text that they must not contain, suspended members."""
    for drift in await recount(config, repair=False):
        if drift.drifted:
            yield f"wrong counter: {asdict(drift)}"
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, String | Text | JSONB):
                continue
            name, text = f"{table.name}.{column.name}", cast(column, Text)
            conditions = []
            if name not in WRITTEN_BY_MEMBERS:
                conditions.append(func.lower(text).contains(CANARY.lower()))
            if name not in MULTILINE and not isinstance(column.type, JSONB):
                conditions.append(text.regexp_match(literal(_CONTROLS)))
            query = select(text).where(or_(False, *conditions))
            if found := await connection.scalar(query):
                yield f"{name} contains {found[:200]!r}"
    suspended = select(func.count()).where(User.suspended_at.is_not(None), User.erase_at.is_(None))
    if await connection.scalar(suspended):
        yield "a member was suspended"
