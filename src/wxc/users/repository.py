"""SQL for profiles."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select

from wxc.core.database import AnyEntity, AnyRow, AnySelect, Reader
from wxc.core.statements import built_once
from wxc.models import Follow, User
from wxc.users.visibility import has_blocked, has_muted, known_to, visible_to


def summary(person: AnyEntity = User, id_name: str = "id") -> tuple[ColumnElement[Any], ...]:
    """The columns that `summary_values` reads, of `User` or of an alias of it."""
    return person.id.label(id_name), person.username, person.display_name, person.avatar_url


_PROFILE = (
    *summary(),
    User.bio,
    User.created_at,
    User.followers_count,
    User.following_count,
    User.posts_count,
    User.has_exchange,
    User.version,
)


def named(username: str) -> ColumnElement[bool]:
    """The member of that folded name."""
    return User.username_folded == username


class ProfileReader:
    """Profiles as a viewer may see them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def by_username(self, username: str, viewer_id: UUID | None) -> AnyRow | None:
        """The columns of a profile and, for a viewer, of `Relation`.

        Whom the viewer has blocked is found, so that they can be unblocked.
        """
        return (await self.reader.execute(*_profile(username, viewer_id))).one_or_none()


@built_once
def _profile(username: str, viewer_id: UUID | None) -> AnySelect:
    statement: AnySelect = select(*_PROFILE).where(named(username))
    if viewer_id is None:
        return statement.where(visible_to(None))
    return statement.where(known_to(viewer_id)).add_columns(
        _follows(viewer_id, User.id).label("following"),
        _follows(User.id, viewer_id).label("followed_by"),
        has_muted(viewer_id, User.id).label("muting"),
        has_blocked(viewer_id, User.id).label("blocking"),
    )


def _follows(follower_id: Any, followed_id: Any) -> ColumnElement[bool]:  # noqa: ANN401
    return exists().where(Follow.follower_id == follower_id, Follow.followed_id == followed_id)
