"""Accounts and sessions.

Registering and logging in open short transactions of their own: no connection is held while a
password is being hashed.
"""
