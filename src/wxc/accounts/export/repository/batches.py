"""Batches of a list, in the order of a key that is unique in it."""

from typing import Any

from wxc.db.keyset import AnySelect


def batch(statement: AnySelect, key: Any, after: object, limit: int) -> AnySelect:  # noqa: ANN401
    """Up to `limit` rows beyond the key `after`, with their key as the last column."""
    return statement.add_columns(key.label("key")).where(key > after).order_by(key).limit(limit)
