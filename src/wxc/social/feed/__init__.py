"""The feed: a user's own posts and those of the users they follow."""
