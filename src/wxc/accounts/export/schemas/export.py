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
    """All data of your account, except passwords and tokens."""

    exported_at: TimeText
    """When the export started."""
    account: Me
    """As in `GET /settings`."""
    usernames: list[ExportedUsername]
    """Your current and former usernames."""
    sessions: list[ExportedSession]
    """Your current and recent sessions."""
    posts: list[ExportedPost]
    """Your posts."""
    comments: list[ExportedComment]
    """Your comments and replies."""
    comment_likes: list[ExportedCommentLike]
    """The comments that you like."""
    likes: list[ExportedLike]
    """The posts that you like."""
    following: list[ExportedPerson]
    """The users you follow."""
    followers: list[ExportedPerson]
    """Your followers."""
    blocks: list[ExportedPerson]
    """The users you have blocked."""
    mutes: list[ExportedPerson]
    """The users you have muted."""
    exchanges: list[ExportedExchange]
    """Your exchange, if you have one."""
    rate_events: list[ExportedRateEvent]
    """The history of its rates."""
    exchange_confirmations: list[ExportedConfirmation]
    """The history of its confirmations."""
    reports: list[ExportedReport]
    """The reports that you have sent."""
    notifications: list[ExportedNotification]
    """Your notifications."""
