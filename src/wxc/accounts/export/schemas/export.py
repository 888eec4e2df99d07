"""The exported document."""

from typing_extensions import TypedDict

from wxc.accounts.auth.schemas import Me
from wxc.accounts.export.schemas.account import (
    ExportedNotification,
    ExportedReport,
    ExportedSession,
    ExportedUsername,
)
from wxc.accounts.export.schemas.exchange import (
    ExportedConfirmation,
    ExportedExchange,
    ExportedRateEvent,
)
from wxc.accounts.export.schemas.people import ExportedPerson
from wxc.accounts.export.schemas.posts import (
    ExportedComment,
    ExportedCommentLike,
    ExportedLike,
    ExportedPost,
)
from wxc.http.answers import TimeText, answer


@answer()
class Export(TypedDict):
    """All that your account owns. Passwords and tokens are in nothing that leaves us."""

    exported_at: TimeText
    """When it was read."""
    account: Me
    """What `GET /settings` shows."""
    usernames: list[ExportedUsername]
    """The names that are kept for you."""
    sessions: list[ExportedSession]
    """Where you are, and lately were, logged in."""
    posts: list[ExportedPost]
    """What you have written."""
    comments: list[ExportedComment]
    """What you have said to posts."""
    comment_likes: list[ExportedCommentLike]
    """Which comments you like."""
    likes: list[ExportedLike]
    """Which posts you like."""
    following: list[ExportedPerson]
    """Whom you follow."""
    followers: list[ExportedPerson]
    """Who follows you."""
    blocks: list[ExportedPerson]
    """Whom you block."""
    mutes: list[ExportedPerson]
    """Whom you mute."""
    exchanges: list[ExportedExchange]
    """Your board; one at most."""
    rate_events: list[ExportedRateEvent]
    """All that its lines have said."""
    exchange_confirmations: list[ExportedConfirmation]
    """When you said that it holds."""
    reports: list[ExportedReport]
    """What you have reported."""
    notifications: list[ExportedNotification]
    """What you were told of."""
