"""Mails: an outbox that is written in transactions, and delivery by the worker."""
