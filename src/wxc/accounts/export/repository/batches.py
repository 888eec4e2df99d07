from typing import Any

from wxc.db.keyset import AnySelect


def batch(statement: AnySelect, key: Any, after: object, limit: int) -> AnySelect:  # noqa: ANN401
    """Up to `limit` rows whose unique `key` is greater than `after`, with `key` as last column."""
    return statement.add_columns(key.label("key")).where(key > after).order_by(key).limit(limit)
