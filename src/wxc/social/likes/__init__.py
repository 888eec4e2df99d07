"""Likes of posts."""
