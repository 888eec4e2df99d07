"""What a database holds after an assault: every counter right, no text where none belongs."""

from collections.abc import AsyncIterator
from dataclasses import asdict

from sqlalchemy import String, Text, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.hostile.corpus import CANARY

from wxc.core.config import Config
from wxc.db.recount import recount
from wxc.models import Base, User

# Where members write what they like, within the form of the field.
WRITTEN_BY_MEMBERS = {
    *("users.username", "users.username_folded", "users.email", "users.email_folded"),
    *("users.pending_email", "users.display_name", "users.bio", "users.avatar_url"),
    *("used_usernames.name", "posts.body", "comments.body", "sessions.user_agent"),
    *("exchanges.name", "exchanges.description", "exchanges.address"),
    *("reports.detail", "outbox_mails.address", "mail_tokens.address"),
    *("idempotency_keys.key", "idempotency_keys.body", "audit_events.request_id"),
}
SEVERAL_LINES = {
    *("users.bio", "posts.body", "comments.body", "exchanges.description", "reports.detail"),
    *("exchanges.address", "idempotency_keys.body"),
}
_CONTROLS = "[\\x01-\\x1f\\x7f-\\x9f\u2028\u2029\u202a-\u202e]"


async def stored_faults(config: Config, connection: AsyncConnection) -> AsyncIterator[str]:
    """Each counter that is wrong, and each column with a hostile text that it must not hold."""
    for drift in await recount(config, repair=False):
        if drift.drifted:
            yield f"a counter is wrong: {asdict(drift)}"
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, String | Text | JSONB):
                continue
            name, text = f"{table.name}.{column.name}", cast(column, Text)
            wrong = []
            if name not in WRITTEN_BY_MEMBERS:
                wrong.append(func.lower(text).contains(CANARY.lower()))
            if name not in SEVERAL_LINES and not isinstance(column.type, JSONB):
                wrong.append(text.regexp_match(literal(_CONTROLS)))
            if wrong and (found := await connection.scalar(select(text).where(or_(*wrong)))):
                yield f"{name} holds {found[:200]!r}"
    suspended = select(func.count()).where(User.suspended_at.is_not(None), User.erase_at.is_(None))
    if await connection.scalar(suspended):
        yield "a member has been suspended"
