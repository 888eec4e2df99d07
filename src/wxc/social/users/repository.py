"""SQL for profiles."""

from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Follow, User
from wxc.social.users.visibility import has_blocked, has_muted, known_to

Entity = Any
"""A table, an alias or a subquery: each has columns by name, typed differently."""


class Summary(Protocol):
    """What a row says of a person, whatever column holds their id."""

    @property
    def username(self) -> str:
        """As it is shown."""
        ...

    @property
    def display_name(self) -> str | None:
        """Shown beside the username."""
        ...

    @property
    def avatar_url(self) -> str | None:
        """A picture."""
        ...


class Person(Summary, Protocol):
    """A row that is about a person."""

    @property
    def id(self) -> UUID:
        """Of the account."""
        ...


class ProfileRow(NamedTuple):
    """A member's page, and what there is between them and the viewer."""

    id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None
    bio: str | None
    created_at: datetime
    followers_count: int
    following_count: int
    posts_count: int
    has_exchange: bool
    version: int
    following: bool
    followed_by: bool
    muting: bool
    blocking: bool


def summary(person: Entity = User, id_name: str = "id") -> tuple[ColumnElement[Any], ...]:
    """The columns of a `Summary`, of `User` or of an alias of it."""
    return person.id.label(id_name), person.username, person.display_name, person.avatar_url


def named(username: str) -> ColumnElement[bool]:
    """The member of that folded name."""
    return User.username_folded == username


@prepared(ProfileRow)
def profile_by_username(username: str, viewer_id: UUID | None) -> AnySelect:
    """The profile of that folded name; of a member whom the viewer has blocked too."""
    return select(
        *summary(),
        User.bio,
        User.created_at,
        User.followers_count,
        User.following_count,
        User.posts_count,
        User.has_exchange,
        User.version,
        _follows(viewer_id, User.id).label("following"),
        _follows(User.id, viewer_id).label("followed_by"),
        has_muted(viewer_id, User.id).label("muting"),
        has_blocked(viewer_id, User.id).label("blocking"),
    ).where(named(username), known_to(viewer_id))


def _follows(follower_id: Any, followed_id: Any) -> ColumnElement[bool]:  # noqa: ANN401
    return exists().where(Follow.follower_id == follower_id, Follow.followed_id == followed_id)
