"""The whole schema, one table per file."""

from wxc.models.base import Base
from wxc.models.block import Block
from wxc.models.follow import Follow
from wxc.models.mute import Mute
from wxc.models.post import Post
from wxc.models.post_like import PostLike
from wxc.models.session import Session
from wxc.models.user import User

__all__ = ["Base", "Block", "Follow", "Mute", "Post", "PostLike", "Session", "User"]
