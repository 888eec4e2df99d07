"""Deleting an account: at once for everybody who looks, then row by row in the background."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from wxc.audit import service as audit
from wxc.audit.actors import Actor
from wxc.auth.context import Auth, Principal
from wxc.auth.errors import SessionExpired
from wxc.comments.service import erase_comments_of
from wxc.core import clock
from wxc.core.database import UNREACHABLE, AnyRow, Database
from wxc.core.limits import Throttle
from wxc.db.session import Session
from wxc.deletions.repository import EDGES, DeletionRepository, Edges
from wxc.models import AuditKind
from wxc.sessions.service import shut_out
from wxc.settings.service import confirm_password

MOST_EDGES = 1000
"""So many are cut in one transaction: in the request, and in each batch of the worker's."""
MOST_COMMENTS = 100
"""So many of the member's comments are taken away in one transaction, each by itself."""
_MOST_ROWS = 1000
_LEASE = timedelta(seconds=15)  # by then a batch is done or will not be: its statements are bounded

Held = Sequence[tuple[Edges, Sequence[UUID]]]


async def delete_account(
    database: Database,
    auth: Auth,
    throttle: Throttle,
    me: Principal,
    password: str,
    actor: Actor,
) -> None:
    """Have the account of `me` end, here and now; raises `WrongPassword` and `RateLimited`.

    Others no longer see it, nothing opens it, its address is free, its name nobody's ever again.
    What others count of it is counted off, up to `MOST_EDGES`; the worker does the rest.
    """
    seen = await confirm_password(database, auth, throttle, me, password)
    async with database.transaction() as session:
        held = await _hold(session, me.id)  # locks, those of the account itself among them
        if not await DeletionRepository(session).empty(me.id, seen=seen, moment=clock.now()):
            raise SessionExpired
        ended = await shut_out(session, auth.revocations, me.id)
        await audit.record(
            session,
            AuditKind.ACCOUNT_DELETED,
            actor,
            user_id=me.id,
            session_id=me.session_id,
            sessions_ended=ended,
        )
        await _cut(held)
    with suppress(*UNREACHABLE):  # the account has gone: what is left is the worker's
        async with database.transaction() as session:
            await erase_comments_of(session, me.id, MOST_COMMENTS)


async def clear_up(database: Database, *, kept: timedelta) -> bool:
    """Do one batch for one deleted account; False when there is nothing to do.

    A batch is one transaction and finds out by itself what is left, so that whoever comes after
    a crash goes on. The emptied row stays for so long as a session of it might still be shown to
    us: its sessions say that they have ended.
    """
    async with database.transaction() as session:
        account = await DeletionRepository(session).claim(moment=clock.now(), lease=_LEASE)
    if account is None:
        return False
    async with database.transaction() as session:
        await _clear_some(session, account, kept)
    return True


async def _clear_some(session: Session, account: AnyRow, kept: timedelta) -> None:
    deletions, moment, last = DeletionRepository(session), clock.now(), account.suspended_at + kept
    if await erase_comments_of(session, account.id, MOST_COMMENTS):
        await deletions.postpone(account.id, moment)
        return
    held = await _hold(session, account.id)
    await _cut(held)
    if any(ids for _, ids in held) or await deletions.remove_belongings(account.id, _MOST_ROWS):
        await deletions.postpone(account.id, moment)  # behind others who wait
    elif moment < last:
        await deletions.postpone(account.id, last)
    else:
        await deletions.remove(account.id)


async def _hold(session: Session, user_id: UUID) -> Held:
    """Up to `MOST_EDGES` edges of all kinds, with locks on all that count them."""
    held: list[tuple[Edges, Sequence[UUID]]] = []
    left = MOST_EDGES
    for kind in EDGES:
        edges = kind(session)
        ids = await edges.hold(user_id, left)
        held.append((edges, ids))
        left -= len(ids)
    return held


async def _cut(held: Held) -> None:
    for edges, ids in held:
        if ids:
            await edges.cut(ids)
