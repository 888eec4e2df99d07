"""Account deletion: the request hides the account; the worker deletes its rows in batches."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.errors import SessionExpired
from wxc.accounts.deletion.repository import accounts, owned
from wxc.accounts.deletion.repository.accounts import DeletedAccount
from wxc.accounts.deletion.repository.edges import (
    COMMENT_LIKES,
    POST_LIKES,
    LikeTable,
    delete_follows,
    delete_likes,
    follows_of,
    likes_by,
    lock_rows,
)
from wxc.accounts.sessions.service import end_all_sessions
from wxc.accounts.settings.service.account import confirm_password
from wxc.core import clock
from wxc.db.database import Database
from wxc.db.errors import UNAVAILABLE_ERRORS
from wxc.db.session import Session
from wxc.http.rate_limits import RateLimiter
from wxc.models import AuditKind, User
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor
from wxc.social.comments.service.writing import delete_comments_of

MAX_EDGES = 1000
"""Per transaction, in the request and in each batch."""
MAX_COMMENTS = 100
"""Per transaction; lower, because each comment is deleted by separate statements."""
_MAX_ROWS = 1000
_LEASE = timedelta(seconds=15)  # longer than a batch, whose statements have timeouts


@dataclass(frozen=True, slots=True)
class Edges:
    """Ids of likes and follows to delete; the rows that count them are locked."""

    post_likes: Sequence[UUID]
    comment_likes: Sequence[UUID]
    follows: Sequence[UUID]

    def __bool__(self) -> bool:
        return bool(self.post_likes or self.comment_likes or self.follows)


async def delete_account(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    me: Principal,
    password: str,
    actor: Actor,
) -> None:
    """Hide the account, end its sessions and release the e-mail address.

    The username is never reused. Up to `MAX_EDGES` edges and `MAX_COMMENTS` comments are deleted
    in the request, the rest by the worker. Raises `WrongPassword` and `RateLimited`.
    """
    password_hash = await confirm_password(database, auth, limiter, me, password)
    async with database.transaction() as session:
        # Same lock order as all other writes, to avoid deadlocks: posts, comments, users.
        edges = await lock_edges(session, me.id, MAX_EDGES)
        anonymised = accounts.anonymise_account(me.id, password_hash, clock.now())
        if await session.fetch_one(anonymised) is None:
            raise SessionExpired
        ended = await end_all_sessions(session, auth.revocations, me.id)
        await audit.record(
            session,
            AuditKind.ACCOUNT_DELETED,
            actor,
            user_id=me.id,
            session_id=me.session_id,
            sessions_ended=ended,
        )
        await delete_edges(session, edges)
    with suppress(*UNAVAILABLE_ERRORS):  # the deletion is committed; the worker can do this too
        async with database.transaction() as session:
            await delete_comments_of(session, me.id, MAX_COMMENTS)


async def purge_batch(database: Database, *, retention: timedelta) -> bool:
    """Delete one batch of rows of one deleted account; False if no account is due.

    A batch is one transaction. It keeps no progress: after a crash the next batch deletes the
    remaining rows. The account's row stays for `retention` after the deletion, so that its
    sessions count as expired and not as unknown.
    """
    moment = clock.now()
    # Committed separately: the lease must survive the rollback of a failed batch.
    account = await database.primary.fetch_one(accounts.claim_due_account(moment, moment + _LEASE))
    if account is None:
        return False
    async with database.transaction() as session:
        await _purge_account(session, account, retention)
    return True


async def lock_edges(session: Session, user_id: UUID, limit: int) -> Edges:
    """Select up to `limit` edges and lock the rows that count them."""
    post_likes = await _lock_likes(session, user_id, limit, POST_LIKES)
    limit -= len(post_likes)
    comment_likes = await _lock_likes(session, user_id, limit, COMMENT_LIKES)
    limit -= len(comment_likes)
    return Edges(post_likes, comment_likes, await _lock_follows(session, user_id, limit))


async def delete_edges(session: Session, edges: Edges) -> None:
    """Delete the edges that still exist and update the counters."""
    if edges.post_likes:
        await session.fetch(delete_likes(edges.post_likes, table=POST_LIKES))
    if edges.comment_likes:
        await session.fetch(delete_likes(edges.comment_likes, table=COMMENT_LIKES))
    if edges.follows:
        await session.fetch(delete_follows(edges.follows))


async def _purge_account(session: Session, account: DeletedAccount, retention: timedelta) -> None:
    moment, row_due = clock.now(), account.suspended_at + retention
    if await _delete_batch(session, account.id):
        # Other due accounts come first.
        await session.fetch_one(accounts.postpone_account(account.id, moment))
    elif moment < row_due:
        await session.fetch_one(accounts.postpone_account(account.id, row_due))
    else:
        await session.fetch_one(accounts.delete_account_row(account.id))


async def _delete_batch(session: Session, user_id: UUID) -> bool:
    """Delete rows of one kind; False if no rows are left."""
    if await delete_comments_of(session, user_id, MAX_COMMENTS):
        return True
    edges = await lock_edges(session, user_id, MAX_EDGES)
    await delete_edges(session, edges)
    return bool(edges) or await _delete_owned(session, user_id)


async def _delete_owned(session: Session, user_id: UUID) -> bool:
    for rows in owned.OWNED_ROWS:
        if await session.fetch(owned.delete_owned(user_id, rows=rows, limit=_MAX_ROWS)):
            return True
    return False


async def _lock_likes(
    session: Session, user_id: UUID, limit: int, table: LikeTable
) -> Sequence[UUID]:
    likes = await session.fetch(likes_by(user_id, limit, table=table))
    await session.fetch(lock_rows([like.subject_id for like in likes], table=table.subject))
    return [like.id for like in likes]


async def _lock_follows(session: Session, user_id: UUID, limit: int) -> Sequence[UUID]:
    """Also locks the account itself, even if it has no follows."""
    follows = await session.fetch(follows_of(user_id, limit))
    users = {user_id, *(end for row in follows for end in (row.follower_id, row.followed_id))}
    await session.fetch(lock_rows(list(users), table=User))
    return [row.id for row in follows]
