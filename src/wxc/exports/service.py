"""Exporting an account: a batch is read, its connection given back, and only then it is sent.

A later feature adds a list to `Export` and its SELECT to `LISTINGS`.
"""

from collections.abc import AsyncIterator, Mapping
from typing import get_args
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

from wxc.auth.context import Principal
from wxc.auth.errors import SessionExpired
from wxc.auth.repository.accounts import account_by_id
from wxc.auth.schemas import Me
from wxc.auth.service import present_me
from wxc.core import clock
from wxc.core.database import Database
from wxc.core.times import Timestamp
from wxc.exports.repository import LISTINGS, ExportReader
from wxc.exports.schemas import Export

BATCH = 500
_MODELS: Mapping[str, type[BaseModel]] = {
    name: get_args(Export.model_fields[name].annotation)[0] for name in LISTINGS
}
_TIME: TypeAdapter[Timestamp] = TypeAdapter(Timestamp)


async def open_export(database: Database, me: Principal) -> AsyncIterator[bytes]:
    """An `Export` as JSON, in pieces of bounded size; raises `SessionExpired` before the first."""
    row = await database.primary.fetch_one(account_by_id(me.id))
    if row is None:
        raise SessionExpired
    return _document(database, present_me(row))


async def _document(database: Database, account: Me) -> AsyncIterator[bytes]:
    yield b'{"exported_at":' + _TIME.dump_json(clock.now())
    yield b',"account":' + account.model_dump_json().encode()
    for name in LISTINGS:
        yield f',"{name}":['.encode()
        async for items in _items(database, name, account.id):
            yield items
        yield b"]"
    yield b"}"


async def _items(database: Database, name: str, user_id: UUID) -> AsyncIterator[bytes]:
    model, after, separator = _MODELS[name], None, b""
    while True:
        async with database.guarding() as reader:
            rows = await ExportReader(reader).batch(name, user_id, after, BATCH)
        items = [model(**dict(row._mapping)).model_dump_json().encode() for row in rows]
        if items:
            yield separator + b",".join(items)
        if len(rows) < BATCH:
            return
        after, separator = rows[-1].key, b","
