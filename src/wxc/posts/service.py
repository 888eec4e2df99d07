"""Writing, changing and reading posts."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.context import Principal
from wxc.auth.errors import SessionExpired
from wxc.core import clock
from wxc.core.database import AnyRow, Reader
from wxc.core.errors import NotOwner, PreconditionFailed
from wxc.core.etags import Versioned, Versions
from wxc.core.pagination import PageRequest
from wxc.idempotency.service import Attempt, first_answer, keep_answer
from wxc.notifications import service as notifications
from wxc.posts.errors import PostNotFound
from wxc.posts.repository import PostReader, PostRepository, PostRow
from wxc.posts.schemas import Post, PostCreate, PostPage, PostUpdate
from wxc.users.errors import BlockedByYou, UserNotFound


async def write_post(
    session: AsyncSession, me: Principal, post: PostCreate, attempt: Attempt | None = None
) -> Post:
    """Publish a post; raises `SessionExpired` when the account has gone meanwhile."""
    if first := await first_answer(session, attempt):
        await find_post(session, first.subject_id, me.id)
        raise first
    posts = PostRepository(session)
    author = await posts.count_one_more(me.id)
    if author is None:
        raise SessionExpired
    row = await posts.add(me.id, post.body)
    written = present(PostRow._make((*row, False, *author)))
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


async def find_post(reader: Reader, post_id: UUID, viewer_id: UUID | None) -> Versioned[Post]:
    """A post the viewer may see; raises `PostNotFound` for any other."""
    row = await PostReader(reader).visible(post_id, viewer_id)
    if row is None:
        raise PostNotFound
    return Versioned(present(PostRow.of(row)), row.version)


async def list_posts(
    reader: Reader, username: str, viewer_id: UUID | None, page: PageRequest
) -> PostPage:
    """That member's posts, newest first; raises `UserNotFound`."""
    rows = await PostReader(reader).of(username, viewer_id, page)
    if rows is None:
        raise UserNotFound
    cut = page.cut(rows, key=lambda row: row.id)
    return PostPage(
        items=[present(row) for row in cut.rows],
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
    """Lock the post that `me` likes or comments on: `(author_id, blocking, likes_count)`.

    Raises `PostNotFound`, also where the author has blocked `me`, and `BlockedByYou`.
    """
    post = await PostRepository(session).lock_known(post_id, me.id)
    if post is None:
        raise PostNotFound
    if post.blocking:
        raise BlockedByYou
    return post


def present(row: PostRow) -> Post:
    """The post that a row holds; validated once, with all that is in it."""
    return Post.model_validate(
        {
            "id": row.id,
            "author": {
                "id": row.author_id,
                "username": row.username,
                "display_name": row.display_name,
                "avatar_url": row.avatar_url,
            },
            "body": row.body,
            "created_at": row.created_at,
            "edited_at": row.edited_at,
            "likes_count": row.likes_count,
            "comments_count": row.comments_count,
            "viewer": None if row.liked is None else {"liked": row.liked},
        }
    )


async def _lock_own(session: AsyncSession, me: Principal, post_id: UUID) -> None:
    author_id = await PostRepository(session).lock_visible(post_id, me.id)
    if author_id is None:
        raise PostNotFound
    if author_id != me.id:
        raise NotOwner
