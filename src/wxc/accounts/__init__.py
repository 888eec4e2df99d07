"""Accounts: registration, authentication, settings and a member's own data."""
