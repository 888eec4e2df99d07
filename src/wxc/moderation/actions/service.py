"""Looking into an account, suspending and restoring it, ending its sessions."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from wxc.accounts.auth.revocation import Revocations
from wxc.accounts.sessions.repository import live_sessions_of, revoke_session_of, revoke_sessions_of
from wxc.accounts.sessions.service import shut_out
from wxc.core import clock
from wxc.core.text import fold_identifier
from wxc.db.database import Database
from wxc.db.session import Session, after_commit
from wxc.models import AuditKind
from wxc.moderation.actions.repository import (
    account_by_id,
    account_by_identifier,
    duplicate_accounts,
    restore_account,
    suspend_account,
)
from wxc.moderation.actions.schemas import (
    Account,
    Duplicate,
    Event,
    LiveSession,
    MemberFile,
    Outcome,
)
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor
from wxc.moderation.audit.repository import latest_events_of


class NoSuchMember(Exception):  # noqa: N818 - a fact
    """The name, address or id is nobody's."""


class NoSuchSession(Exception):  # noqa: N818 - a fact
    """The member has no such session, or it has ended."""


async def find(database: Database, who: str) -> Account:
    """The account of a username, e-mail address or id; raises `NoSuchMember`."""
    user_id = _parse_id(who)
    row = await database.primary.fetch_one(
        account_by_identifier(fold_identifier(who)) if user_id is None else account_by_id(user_id)
    )
    if row is None:
        raise NoSuchMember
    return Account.model_validate(row, from_attributes=True)


async def show(database: Database, who: str, events: int) -> MemberFile:
    """The account, its live sessions and its last `events`; raises `NoSuchMember`."""
    account = await find(database, who)
    trail = await database.primary.fetch(latest_events_of(account.id, limit=events))
    return MemberFile(
        account=account,
        sessions=await sessions_of(database, account.id),
        events=[Event.model_validate(row, from_attributes=True) for row in trail],
    )


async def duplicates(database: Database) -> list[Duplicate]:
    """Accounts that share an identifier but for its case, sorted so that these are adjacent."""
    rows = await database.primary.fetch(duplicate_accounts())
    return [
        Duplicate.model_validate(row, from_attributes=True)
        for row in sorted(rows, key=lambda row: (row.kind, row.folded, row.user_id))
    ]


async def sessions_of(database: Database, user_id: UUID) -> list[LiveSession]:
    """Where the member is logged in, the last used first."""
    rows = await database.primary.fetch(live_sessions_of(user_id, clock.now()))
    return [LiveSession.model_validate(row, from_attributes=True) for row in rows]


async def suspend(
    database: Database, revocations: Revocations, who: str, reason: str, actor: Actor
) -> Outcome:
    """Suspend an account, on every instance before this returns; raises `NoSuchMember`.

    Its sessions end and its mailed links become invalid. Suspending twice changes nothing.
    """
    account = await find(database, who)
    async with database.transaction() as session:
        # The account first: logins and changes of its tokens wait for its row.
        suspension = suspend_account(account.id, clock.now())
        is_new = await session.fetch_one(suspension) is not None
        ended = await shut_out(session, revocations, account.id)
        if is_new:
            await audit.record(
                session,
                AuditKind.SUSPENDED,
                actor,
                user_id=account.id,
                reason=reason,
                sessions_ended=ended,
            )
    return Outcome(username=account.username, changed=is_new, sessions_ended=ended)


async def restore(database: Database, who: str, actor: Actor) -> Outcome:
    """End a suspension; sessions and links stay ended. Raises `NoSuchMember`."""
    account = await find(database, who)
    async with database.transaction() as session:
        was_suspended = await session.fetch_one(restore_account(account.id)) is not None
        if was_suspended:
            await audit.record(session, AuditKind.RESTORED, actor, user_id=account.id)
    return Outcome(username=account.username, changed=was_suspended, sessions_ended=0)


async def end_sessions(
    database: Database, revocations: Revocations, who: str, session_id: UUID | None, actor: Actor
) -> Outcome:
    """End one session of a member, or all; raises `NoSuchMember` and `NoSuchSession`."""
    account = await find(database, who)
    async with database.transaction() as session:
        ended = await _end(session, account.id, session_id)
        after_commit(session, partial(revocations.announce, ended))
        for one in ended:
            await audit.record(
                session, AuditKind.SESSION_ENDED, actor, user_id=account.id, ended=str(one)
            )
    return Outcome(username=account.username, changed=bool(ended), sessions_ended=len(ended))


async def _end(session: Session, user_id: UUID, session_id: UUID | None) -> Sequence[UUID]:
    if session_id is None:
        ended = await session.fetch(revoke_sessions_of(user_id, None, clock.now()))
        return [row.id for row in ended]
    row = await session.fetch_one(revoke_session_of(user_id, session_id, clock.now()))
    if row is None:
        raise NoSuchSession
    return [row.id]


def _parse_id(who: str) -> UUID | None:
    """The id, if it is one; no username is as long."""
    try:
        return UUID(who)
    except ValueError:
        return None
