"""How long the statement of a feed takes in the database, for few, many and very many followees.

It is the product's, prepared, on one connection; who asks changes with each execution.
"""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from uuid import UUID

import asyncpg

from bench import limit
from bench.choice import Choice
from bench.data import connect, filled, rows
from bench.load import Findings, apart, postmaster, say
from bench.members import READERS
from bench.workloads import FOLLOWS_2_000, FOLLOWS_20_000

RATIO = "feed SQL p50, 2,000 ÷ 60 followees"
_WHO: Mapping[str, Sequence[str]] = {
    "60": READERS,
    "2,000": [FOLLOWS_2_000],
    "20,000": [FOLLOWS_20_000],
}
_EXECUTIONS = 100  # for each of them in a round


def feed_sql(choice: Choice) -> Findings:
    """Medians by how many are followed; the three take turns, round by round."""
    database_url = filled(choice.members)
    members = {
        name: [row["id"] for row in rows(database_url, _IDS, names)] for name, names in _WHO.items()
    }
    with apart([], postmaster(database_url)):
        times = asyncio.run(_times(database_url, members, choice.rounds))
    medians = {name: statistics.median(ones) for name, ones in times.items()}
    say(f"feed-sql: {choice.rounds} rounds of {_EXECUTIONS}")
    figures = {f"feed SQL p50 at {name} followees, ms": one for name, one in medians.items()}
    return Findings(figures=figures | {RATIO: medians["2,000"] / medians["60"]})


async def _times(
    database_url: str, members: Mapping[str, Sequence[UUID]], rounds: int
) -> Mapping[str, Sequence[float]]:
    connection = await connect(database_url)
    await connection.execute("SET jit = off")  # as the product has it
    sql, parameters = limit.statement()
    statement = await connection.prepare(sql)
    times: dict[str, list[float]] = {name: [] for name in members}
    for number in range(-1, rounds):  # the first does not count
        for name, ids in members.items():
            found = [
                await _time(statement, parameters(one)) for one in islice(cycle(ids), _EXECUTIONS)
            ]
            times[name] += found if number >= 0 else []
    await connection.close()
    return times


async def _time(
    statement: "asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]",
    parameters: Sequence[object],
) -> float:
    """Milliseconds until the rows are here."""
    started = time.perf_counter()
    await statement.fetch(*parameters)
    return 1000 * (time.perf_counter() - started)


_IDS = "SELECT id FROM users WHERE username = ANY($1)"
