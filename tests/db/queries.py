from typing import NamedTuple

from sqlalchemy import Integer, String, cast, func, literal_column, select

from wxc.db.handle import Handle
from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared


class Number(NamedTuple):
    number: int


class Text(NamedTuple):
    text: str


@prepared(Number)
def backend_pid() -> AnySelect:
    return select(func.pg_backend_pid(type_=Integer()).label("number"))


@prepared(Number)
def divided_by(divisor: int) -> AnySelect:
    return select(cast(literal_column("1") / bind(divisor), Integer()).label("number"))


@prepared(Text)
def slept(seconds: float) -> AnySelect:
    return select(cast(func.pg_sleep(bind(seconds)), String()).label("text"))


@prepared(Number)
def backend_ended(pid: int) -> AnySelect:
    ended = func.pg_terminate_backend(bind(pid))
    return select(cast(ended, Integer()).label("number"))


async def pid_of(handle: Handle) -> int:
    """The id of the server process that executes the query."""
    row = await handle.fetch_one(backend_pid())
    assert row is not None
    return row.number
