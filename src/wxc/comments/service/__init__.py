"""Writing, reading and liking comments."""

from wxc.comments.service.likes import like_comment, unlike_comment
from wxc.comments.service.reading import find_comment, list_comments, list_replies
from wxc.comments.service.writing import (
    delete_comment,
    edit_comment,
    erase_comments_of,
    write_comment,
)

__all__ = [
    "delete_comment",
    "edit_comment",
    "erase_comments_of",
    "find_comment",
    "like_comment",
    "list_comments",
    "list_replies",
    "unlike_comment",
    "write_comment",
]
