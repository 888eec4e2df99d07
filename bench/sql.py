"""The time of the feed's statement for few, many and very many followees.

The product's statement, prepared, on one connection; members take turns.
"""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from uuid import UUID

import asyncpg

from bench import limit
from bench.data import connect, fetch_rows, filled_database
from bench.load import Findings, log_progress, pinned_apart, postmaster
from bench.members import READERS
from bench.options import Options
from bench.workloads import FOLLOWS_2_000, FOLLOWS_20_000

RATIO = "feed SQL p50, 2,000 ÷ 60 followees"
_MEMBERS_BY_FOLLOWEES: Mapping[str, Sequence[str]] = {
    "60": READERS,
    "2,000": [FOLLOWS_2_000],
    "20,000": [FOLLOWS_20_000],
}
_EXECUTIONS_PER_ROUND = 100


def feed_sql(options: Options) -> Findings:
    """Medians by the number of followees; the three take turns, round by round."""
    database_url = filled_database(options.members)
    members = {
        name: [row["id"] for row in fetch_rows(database_url, _IDS, names)]
        for name, names in _MEMBERS_BY_FOLLOWEES.items()
    }
    with pinned_apart([], postmaster(database_url)):
        times = asyncio.run(_times(database_url, members, options.rounds))
    medians = {name: statistics.median(samples) for name, samples in times.items()}
    log_progress(f"feed-sql: {options.rounds} rounds of {_EXECUTIONS_PER_ROUND}")
    figures = {f"feed SQL p50 at {name} followees, ms": median for name, median in medians.items()}
    return Findings(figures=figures | {RATIO: medians["2,000"] / medians["60"]})


async def _times(
    database_url: str, members: Mapping[str, Sequence[UUID]], rounds: int
) -> Mapping[str, Sequence[float]]:
    connection = await connect(database_url)
    await connection.execute("SET jit = off")  # as in the product
    sql, parameters = limit.statement()
    statement = await connection.prepare(sql)
    times: dict[str, list[float]] = {name: [] for name in members}
    for number in range(-1, rounds):  # the first one is a warm-up
        for name, ids in members.items():
            samples = [
                await _time(statement, parameters(member_id))
                for member_id in islice(cycle(ids), _EXECUTIONS_PER_ROUND)
            ]
            times[name] += samples if number >= 0 else []
    await connection.close()
    return times


async def _time(
    statement: "asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]",
    parameters: Sequence[object],
) -> float:
    """Milliseconds until all rows have arrived."""
    started = time.perf_counter()
    await statement.fetch(*parameters)
    return 1000 * (time.perf_counter() - started)


_IDS = "SELECT id FROM users WHERE username = ANY($1)"
