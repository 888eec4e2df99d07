"""The latency of a feed in databases of three sizes."""

from collections.abc import Iterator
from contextlib import ExitStack

from bench.data import POSTS_PER_MEMBER, fetch_rows, filled_database
from bench.load import Findings, LoadTest, Round, measure
from bench.members import signed_in
from bench.options import Options
from bench.server import Server, serve_filled
from bench.wrk import Request

RATIO = "feed p50, 1,000,000 ÷ 10,000 posts"
_MEMBERS = (500, 5_000, 50_000)


def growth(options: Options) -> Findings:
    """Feeds of members with about 60 followees, for each size that `--members` allows in turn."""
    urls = {members: filled_database(members) for members in _MEMBERS if members <= options.members}
    with ExitStack() as stack:
        tests = [
            LoadTest(row_name(members), server, list(_feeds(server, url)))
            for members, url in urls.items()
            for server in (stack.enter_context(serve_filled(url)),)
        ]
        rounds = measure(tests, next(iter(urls.values())), options.rounds, options.seconds)
    return Findings(rounds, _ratios(rounds))


def row_name(members: int) -> str:
    return f"feed of {members * POSTS_PER_MEMBER:,} posts"


def _feeds(server: Server, database_url: str) -> Iterator[Request]:
    for row in fetch_rows(database_url, _MEMBERS_WITH_60_FOLLOWEES):
        yield Request("/feeds", signed_in(server, row["username"]).read_headers)


def _ratios(rounds: dict[str, Round]) -> dict[str, float]:
    smallest, largest = (rounds.get(row_name(members)) for members in (_MEMBERS[0], _MEMBERS[-1]))
    return {RATIO: largest.p50_alone / smallest.p50_alone} if smallest and largest else {}


# The same members in each database; not the first ones, which are the most popular.
_MEMBERS_WITH_60_FOLLOWEES = """
    SELECT username FROM users WHERE following_count BETWEEN 55 AND 65
    ORDER BY md5(username) LIMIT 32
"""
