"""Exported posts, comments and likes."""

from typing_extensions import TypedDict

from wxc.http.answers import IdText, TimeText, answer


@answer(
    {
        "body": "Best rate for yen in Tanjong Pagar today?",
        "likes_count": 8,
        "comments_count": 3,
    }
)
class ExportedPost(TypedDict):
    """A post of yours."""

    id: IdText
    body: str
    """As it is now."""
    created_at: TimeText
    edited_at: TimeText | None
    """When the body was last changed; null if never."""
    likes_count: int
    """How many like it."""
    comments_count: int
    """Comments and replies that are not deleted."""


@answer(
    {
        "body": "Which one was that?",
        "likes_count": 2,
        "replies_count": 0,
    }
)
class ExportedComment(TypedDict):
    """A comment of yours."""

    id: IdText
    post_id: IdText
    """The post that it is about."""
    parent_id: IdText | None
    """The comment that it replies to."""
    body: str
    """As it is now."""
    created_at: TimeText
    edited_at: TimeText | None
    """When the body was last changed; null if never."""
    likes_count: int
    """How many like it."""
    replies_count: int
    """Direct replies that are not deleted."""


@answer()
class ExportedCommentLike(TypedDict):
    """A comment that you like."""

    comment_id: IdText
    """Which one."""
    created_at: TimeText


@answer()
class ExportedLike(TypedDict):
    """A post that you like."""

    post_id: IdText
    """Which one."""
    created_at: TimeText
