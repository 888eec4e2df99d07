from collections.abc import Sequence
from functools import partial
from uuid import UUID

from wxc.accounts.auth.revocation import Revocations
from wxc.accounts.sessions.repository import live_sessions_of, revoke_session_of, revoke_sessions_of
from wxc.accounts.sessions.service import end_all_sessions
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
    MemberDetails,
    Outcome,
)
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor
from wxc.moderation.audit.repository import latest_events_of


class NoSuchMember(Exception):  # noqa: N818 - an expected outcome
    """No member has this username, e-mail address or id."""  # printed by `wxc`


class NoSuchSession(Exception):  # noqa: N818 - an expected outcome
    """No active session of this member has this id."""  # printed by `wxc`


async def find_account(database: Database, identifier: str) -> Account:
    """Find an account by username, e-mail address or id; raises `NoSuchMember`."""
    user_id = _parse_id(identifier)
    row = await database.primary.fetch_one(
        account_by_identifier(fold_identifier(identifier))
        if user_id is None
        else account_by_id(user_id)
    )
    if row is None:
        raise NoSuchMember
    return Account.model_validate(row, from_attributes=True)


async def show_member(database: Database, identifier: str, events: int) -> MemberDetails:
    """An account, its live sessions and its latest `events`; raises `NoSuchMember`."""
    account = await find_account(database, identifier)
    rows = await database.primary.fetch(latest_events_of(account.id, limit=events))
    return MemberDetails(
        account=account,
        sessions=await sessions_of(database, account.id),
        events=[Event.model_validate(row, from_attributes=True) for row in rows],
    )


async def duplicate_members(database: Database) -> list[Duplicate]:
    """Accounts whose usernames or addresses are equal after folding, sorted by that value."""
    rows = await database.primary.fetch(duplicate_accounts())
    return [
        Duplicate.model_validate(row, from_attributes=True)
        for row in sorted(rows, key=lambda row: (row.kind, row.folded, row.user_id))
    ]


async def sessions_of(database: Database, user_id: UUID) -> list[LiveSession]:
    """The live sessions of a member, most recently used first."""
    rows = await database.primary.fetch(live_sessions_of(user_id, clock.now()))
    return [LiveSession.model_validate(row, from_attributes=True) for row in rows]


async def suspend(
    database: Database, revocations: Revocations, identifier: str, reason: str, actor: Actor
) -> Outcome:
    """Suspend an account, end its sessions and invalidate its mailed links.

    Takes effect on all instances before this returns. Suspending again changes nothing. Raises
    `NoSuchMember`.
    """
    account = await find_account(database, identifier)
    async with database.transaction() as session:
        # Update the account first: the row lock serialises logins and changes of its tokens.
        suspension = suspend_account(account.id, clock.now())
        is_new = await session.fetch_one(suspension) is not None
        ended = await end_all_sessions(session, revocations, account.id)
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


async def restore(database: Database, identifier: str, actor: Actor) -> Outcome:
    """End a suspension; sessions and links remain invalid. Raises `NoSuchMember`."""
    account = await find_account(database, identifier)
    async with database.transaction() as session:
        was_suspended = await session.fetch_one(restore_account(account.id)) is not None
        if was_suspended:
            await audit.record(session, AuditKind.RESTORED, actor, user_id=account.id)
    return Outcome(username=account.username, changed=was_suspended, sessions_ended=0)


async def end_sessions(
    database: Database,
    revocations: Revocations,
    identifier: str,
    session_id: UUID | None,
    actor: Actor,
) -> Outcome:
    """End one session or, without `session_id`, all sessions of a member.

    Raises `NoSuchMember` and `NoSuchSession`.
    """
    account = await find_account(database, identifier)
    async with database.transaction() as session:
        ended = await _revoke_sessions(session, account.id, session_id)
        after_commit(session, partial(revocations.publish, ended))
        for ended_id in ended:
            await audit.record(
                session, AuditKind.SESSION_ENDED, actor, user_id=account.id, ended=str(ended_id)
            )
    return Outcome(username=account.username, changed=bool(ended), sessions_ended=len(ended))


async def _revoke_sessions(
    session: Session, user_id: UUID, session_id: UUID | None
) -> Sequence[UUID]:
    if session_id is None:
        ended = await session.fetch(revoke_sessions_of(user_id, None, clock.now()))
        return [row.id for row in ended]
    row = await session.fetch_one(revoke_session_of(user_id, session_id, clock.now()))
    if row is None:
        raise NoSuchSession
    return [row.id]


def _parse_id(identifier: str) -> UUID | None:
    """None if the identifier is not a UUID; usernames are too short to be one."""
    try:
        return UUID(identifier.strip())
    except ValueError:
        return None
