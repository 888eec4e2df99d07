"""Comments on posts, and replies to comments."""
