"""Looking into an account, suspending and restoring it, ending its sessions."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from wxc.audit import service as audit
from wxc.audit.actors import Actor
from wxc.audit.repository import AuditReader
from wxc.auth.revocation import Revocations
from wxc.core import clock
from wxc.core.database import Database as OldDatabase
from wxc.core.text import fold_identifier
from wxc.db.database import Database
from wxc.db.session import Session, after_commit
from wxc.models import AuditKind
from wxc.moderation.repository import (
    account_by_id,
    account_by_identifier,
    duplicate_accounts,
    restore_account,
    suspend_account,
)
from wxc.moderation.schemas import Account, Duplicate, Event, LiveSession, MemberFile, Outcome
from wxc.sessions.repository import OwnSessionReader, OwnSessionRepository
from wxc.sessions.service import shut_out


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


async def show(database: OldDatabase, who: str, events: int) -> MemberFile:
    """The account, its live sessions and its last `events`; raises `NoSuchMember`."""
    account = await find(database, who)
    async with database.guarding() as reader:
        trail = await AuditReader(reader).latest_of(account.id, events)
    return MemberFile(
        account=account,
        sessions=await sessions_of(database, account.id),
        events=[Event(**dict(row._mapping)) for row in trail],
    )


async def duplicates(database: Database) -> list[Duplicate]:
    """Accounts that share an identifier but for its case, sorted so that these are adjacent."""
    rows = await database.primary.fetch(duplicate_accounts())
    return [
        Duplicate.model_validate(row, from_attributes=True)
        for row in sorted(rows, key=lambda row: (row.kind, row.folded, row.user_id))
    ]


async def sessions_of(database: OldDatabase, user_id: UUID) -> list[LiveSession]:
    """Where the member is logged in, the last used first."""
    async with database.guarding() as reader:
        rows = await OwnSessionReader(reader).live_of(user_id, clock.now())
    return [LiveSession(**dict(row._mapping)) for row in rows]


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
    sessions = OwnSessionRepository(session)
    if session_id is None:
        return await sessions.revoke_all(user_id, clock.now())
    ended = await sessions.revoke(user_id, session_id, clock.now())
    if not ended:
        raise NoSuchSession
    return ended


def _parse_id(who: str) -> UUID | None:
    """The id, if it is one; no username is as long."""
    try:
        return UUID(who)
    except ValueError:
        return None
