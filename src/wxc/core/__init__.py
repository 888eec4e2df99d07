"""Foundations of all features; imports none of them."""
