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
    """One of your posts."""

    id: IdText
    body: str
    """The current text."""
    created_at: TimeText
    edited_at: TimeText | None
    """When the text was last changed; null if never."""
    likes_count: int
    """The number of likes."""
    comments_count: int
    """The number of comments and replies that are not deleted."""


@answer(
    {
        "body": "Which one was that?",
        "likes_count": 2,
        "replies_count": 0,
    }
)
class ExportedComment(TypedDict):
    """One of your comments."""

    id: IdText
    post_id: IdText
    """The post that the comment belongs to."""
    parent_id: IdText | None
    """The comment that it replies to; null if it is not a reply."""
    body: str
    """The current text."""
    created_at: TimeText
    edited_at: TimeText | None
    """When the text was last changed; null if never."""
    likes_count: int
    """The number of likes."""
    replies_count: int
    """The number of direct replies that are not deleted."""


@answer()
class ExportedCommentLike(TypedDict):
    """A comment that you like."""

    comment_id: IdText
    """The id of the comment."""
    created_at: TimeText


@answer()
class ExportedLike(TypedDict):
    """A post that you like."""

    post_id: IdText
    """The id of the post."""
    created_at: TimeText
