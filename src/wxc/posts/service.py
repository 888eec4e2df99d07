"""Writing, changing and reading posts."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.context import Principal
from wxc.auth.errors import SessionExpired
from wxc.core import clock
from wxc.core.database import AnyRow, Database, Reader, Writer, draw_id
from wxc.core.errors import NotOwner, PreconditionFailed
from wxc.core.etags import Versioned, Versions
from wxc.core.ids import new_id
from wxc.db.keyset import PageRequest
from wxc.core.plain import Plain
from wxc.core.times import rfc3339, rfc3339_or_null
from wxc.idempotency.service import Attempt, first_answer, keep_answer
from wxc.notifications import service as notifications
from wxc.posts.errors import PostNotFound
from wxc.posts.repository import NewPostRepository, PostReader, PostRepository, PostRow
from wxc.posts.schemas import Post, PostCreate, PostPage, PostUpdate
from wxc.users.errors import BlockedByYou, UserNotFound
from wxc.users.service import summary_values


async def write_post(
    database: Database, me: Principal, post: PostCreate, attempt: Attempt | None = None
) -> Post:
    """Publish a post; raises `SessionExpired` when the account has gone meanwhile.

    Most mention nobody and have no key: such a post is one statement, a transaction by itself.
    """
    if attempt is None and not notifications.mentioned(post.body):
        return await _add(database.single_write, new_id(), me, post.body)
    async with database.transaction() as session:
        return await _write_and_tell(session, me, post, attempt)


async def find_post(reader: Reader, post_id: UUID, viewer_id: UUID | None) -> Versioned[Post]:
    """A post the viewer may see; raises `PostNotFound` for any other."""
    row = await PostReader(reader).visible(post_id, viewer_id)
    if row is None:
        raise PostNotFound
    return Versioned(present(PostRow.of(row)), row.version)


async def list_posts(
    reader: Reader, username: str, viewer_id: UUID | None, page: PageRequest
) -> Plain[PostPage]:
    """That member's posts, newest first; raises `UserNotFound`."""
    rows = await PostReader(reader).of(username, viewer_id, page)
    if rows is None:
        raise UserNotFound
    cut = page.cut(rows, key=lambda row: row.id)
    return Plain(
        items=[values_of(row) for row in cut.rows],
        next_cursor=cut.next_cursor,
        prev_cursor=cut.prev_cursor,
    )


async def edit_post(
    session: AsyncSession, me: Principal, post_id: UUID, post: PostUpdate, versions: Versions
) -> Versioned[Post]:
    """Replace the body of one's own post.

    Raises `PostNotFound`, `NotOwner` or `PreconditionFailed`.
    """
    await _lock_own(session, me, post_id)
    posts = PostRepository(session)
    if not await posts.replace_body(post_id, post.body, versions, moment=clock.now()):
        raise PreconditionFailed
    return await find_post(session, post_id, me.id)


async def delete_post(session: AsyncSession, me: Principal, post_id: UUID) -> None:
    """Delete one's own post and its thread; raises `PostNotFound` or `NotOwner`."""
    await _lock_own(session, me, post_id)
    await PostRepository(session).remove(post_id, me.id)


async def lock_to_act(session: AsyncSession, me: Principal, post_id: UUID) -> AnyRow:
    """Lock the post that `me` comments on: `(author_id, blocking)`.

    Raises `PostNotFound`, also where the author has blocked `me`, and `BlockedByYou`.
    """
    post = await PostRepository(session).lock_known(post_id, me.id)
    if post is None:
        raise PostNotFound
    if post.blocking:
        raise BlockedByYou
    return post


def present(row: PostRow) -> Post:
    """The post that a row holds."""
    return Post.model_validate(values_of(row))


def values_of(row: PostRow) -> dict[str, Any]:
    """What `Post` says, for a `Plain` page of them."""
    return {
        "id": str(row.id),
        "author": summary_values(row, row.author_id),
        "body": row.body,
        "created_at": rfc3339(row.created_at),
        "edited_at": rfc3339_or_null(row.edited_at),
        "likes_count": row.likes_count,
        "comments_count": row.comments_count,
        "viewer": None if row.liked is None else {"liked": row.liked},
    }


async def _write_and_tell(
    session: AsyncSession, me: Principal, post: PostCreate, attempt: Attempt | None
) -> Post:
    if first := await first_answer(session, attempt):
        await find_post(session, first.subject_id, me.id)
        raise first
    written = await _add(session, draw_id(session), me, post.body)
    await notifications.notify_of_post(session, me.id, written.id, post.body)
    await keep_answer(
        session,
        attempt,
        written,
        subject_id=written.id,
        location=f"/posts/{written.id}",
        post_id=written.id,
    )
    return written


async def _add(write: Writer, post_id: UUID, me: Principal, body: str) -> Post:
    row = await NewPostRepository(write).add(post_id, me.id, body)
    if row is None:
        raise SessionExpired
    return present(row)


async def _lock_own(session: AsyncSession, me: Principal, post_id: UUID) -> None:
    author_id = await PostRepository(session).lock_visible(post_id, me.id)
    if author_id is None:
        raise PostNotFound
    if author_id != me.id:
        raise NotOwner
