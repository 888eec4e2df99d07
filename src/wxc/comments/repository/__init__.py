"""SQL for comments: reading threads, and changing them."""

from wxc.comments.repository.likes import CommentLikeRepository
from wxc.comments.repository.reading import CommentReader
from wxc.comments.repository.writing import CommentRepository

__all__ = ["CommentLikeRepository", "CommentReader", "CommentRepository"]
