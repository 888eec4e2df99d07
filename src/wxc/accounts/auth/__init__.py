"""Accounts and sessions: register, log in, stay signed in, log out."""
