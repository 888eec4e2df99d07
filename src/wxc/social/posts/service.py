from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.accounts.auth.errors import SessionExpired
from wxc.accounts.auth.quotas import WriteQuota
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.core.times import rfc3339, rfc3339_or_none
from wxc.db import commits
from wxc.db.commits import next_id
from wxc.db.database import Database
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest
from wxc.db.session import Session
from wxc.http.etags import Versioned, Versions, listed
from wxc.http.refusals.access import NotOwner
from wxc.http.refusals.resources import PreconditionFailed
from wxc.idempotency.service import IdempotentRequest, store_response, stored_response
from wxc.social.notifications.mentions import count_new_mentions, mentioned_usernames
from wxc.social.notifications.service.notifying import notify_of_edit, notify_of_post
from wxc.social.posts import repository
from wxc.social.posts.errors import PostNotFound
from wxc.social.posts.repository import LockedPost, PostRow, PostText, post_by_id, posts_of
from wxc.social.posts.schemas import Post, PostCreate, PostPage, PostUpdate
from wxc.social.users.errors import BlockedByYou, UserNotFound
from wxc.social.users.service import present_summary


async def write_post(
    database: Database,
    me: Principal,
    post: PostCreate,
    quota: WriteQuota,
    idempotency: IdempotentRequest | None = None,
) -> Post:
    """Publish a post; raises `SessionExpired` if the account was suspended or deleted meanwhile.

    Raises `TooManyRequests` for too many mentions and, with an idempotency key, too many posts.

    Most posts have neither a mention nor an idempotency key: they take a single statement.
    """
    if idempotency is None and not mentioned_usernames(post.body):
        return await _insert_post(database.primary, new_id(), me, post.body)
    async with database.transaction() as session:
        return await _write_and_notify(session, me, post, quota, idempotency)


async def find_post(db: Handle, post_id: UUID, viewer_id: UUID | None) -> Versioned[Post]:
    """Raises `PostNotFound` if the viewer cannot see the post."""
    row = await db.fetch_one(post_by_id(post_id, viewer_id))
    if row is None:
        raise PostNotFound
    return Versioned(present_post(row), row.version)


async def list_posts(
    db: Handle, username: str, viewer_id: UUID | None, page: PageRequest
) -> PostPage:
    """The user's posts, newest first; raises `UserNotFound` if the viewer cannot see the user."""
    rows = await db.fetch(posts_of(username, viewer_id, page=page))
    if not rows:
        raise UserNotFound
    page_slice = page.slice([row for row in rows if row is not None], key=lambda row: row.id)
    return {
        "items": [present_post(row) for row in page_slice.rows],
        "next_cursor": page_slice.next_cursor,
        "prev_cursor": page_slice.prev_cursor,
    }


async def edit_post(
    session: Session,
    post_id: UUID,
    post: PostUpdate,
    versions: Versions,
    quota: WriteQuota,
) -> Versioned[Post]:
    """Raises `PostNotFound`, `NotOwner`, `PreconditionFailed` or `TooManyRequests`.

    The same body again changes nothing, whatever the version.
    """
    me = quota.me
    old = await _lock_own_post(session, me, post_id)
    if post.body == old.body:
        return await find_post(session, post_id, me.id)
    query = repository.update_post_body(post_id, post.body, listed(versions), clock.now())
    if await session.fetch_one(query) is None:
        raise PreconditionFailed
    edited = await find_post(session, post_id, me.id)
    author = edited.body["author"]["username"]
    await quota.count(count_new_mentions(post.body, author, old.body))
    await notify_of_edit(session, me.id, old.body, post.body, post_id)
    return edited


async def delete_post(session: Session, me: Principal, post_id: UUID) -> None:
    """Delete a post with its thread; raises `PostNotFound` or `NotOwner`."""
    await _lock_own_post(session, me, post_id)
    await session.fetch_one(repository.delete_post(post_id, me.id))


async def lock_post_to_comment(session: Session, me: Principal, post_id: UUID) -> LockedPost:
    """Raises `BlockedByYou`, or `PostNotFound`, also if the author has blocked `me`."""
    post = await session.fetch_one(repository.lock_viewable_or_blocked_post(post_id, me.id))
    if post is None:
        raise PostNotFound
    if post.blocking:
        raise BlockedByYou
    return post


def present_post(row: PostRow) -> Post:
    return {
        "id": str(row.id),
        "author": present_summary(row, row.author_id),
        "body": row.body,
        "created_at": rfc3339(row.created_at),
        "edited_at": rfc3339_or_none(row.edited_at),
        "likes_count": row.likes_count,
        "comments_count": row.comments_count,
        "viewer": None if row.liked is None else {"liked": row.liked},
    }


async def _write_and_notify(
    session: Session,
    me: Principal,
    post: PostCreate,
    quota: WriteQuota,
    idempotency: IdempotentRequest | None,
) -> Post:
    if replay := await stored_response(session, idempotency):
        await find_post(session, replay.subject_id, me.id)
        raise replay
    post_id = next_id(session)
    written = await _insert_post(session, post_id, me, post.body)
    await quota.count(count_new_mentions(post.body, written["author"]["username"]))
    await notify_of_post(session, me.id, post_id, post.body)
    await store_response(
        session,
        idempotency,
        written,
        subject_id=post_id,
        location=f"/posts/{post_id}",
        post_id=post_id,
    )
    return written


async def _insert_post(db: Handle, post_id: UUID, me: Principal, body: str) -> Post:
    moment = clock.now()
    commit_before = moment + commits.COMMIT_DEADLINE
    query = repository.insert_post(post_id, me.id, body, moment, commit_before)
    row = await db.fetch_one(query)
    if row is None:
        raise SessionExpired
    return present_post(row)


async def _lock_own_post(session: Session, me: Principal, post_id: UUID) -> PostText:
    post = await session.fetch_one(repository.lock_visible_post(post_id, me.id))
    if post is None:
        raise PostNotFound
    if post.author_id != me.id:
        raise NotOwner
    return post
