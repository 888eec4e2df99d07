"""The social network: users, posts, comments, likes, feed and notifications."""
