"""Leaving: what ends at once, and what the worker clears up behind it."""
