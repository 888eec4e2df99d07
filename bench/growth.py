"""Does a feed get slower as the network grows? The same question to databases of three sizes."""

from collections.abc import Iterator
from contextlib import ExitStack

from bench.choice import Choice
from bench.data import POSTS_PER_MEMBER, filled, rows
from bench.load import Findings, Round, Target, measure
from bench.members import signed_in
from bench.server import Served, serving_filled
from bench.wrk import Request

RATIO = "feed p50, 1,000,000 ÷ 10,000 posts"
_MEMBERS = (500, 5_000, 50_000)


def growth(choice: Choice) -> Findings:
    """Measure one and the same number of followees in all that `--members` allows, in turns."""
    urls = {members: filled(members) for members in _MEMBERS if members <= choice.members}
    with ExitStack() as stack:
        targets = [
            Target(name_of(members), server, list(_feeds(server, url)))
            for members, url in urls.items()
            for server in (stack.enter_context(serving_filled(url)),)
        ]
        rounds = measure(targets, next(iter(urls.values())), choice.rounds, choice.seconds)
    return Findings(rounds, _ratios(rounds))


def name_of(members: int) -> str:
    """What a database of so many members is called in the table."""
    return f"feed of {members * POSTS_PER_MEMBER:,} posts"


def _feeds(server: Served, database_url: str) -> Iterator[Request]:
    for row in rows(database_url, _ABOUT_SIXTY):
        yield Request("/feeds", signed_in(server, row["username"]).reading)


def _ratios(rounds: dict[str, Round]) -> dict[str, float]:
    smallest, largest = (rounds.get(name_of(members)) for members in (_MEMBERS[0], _MEMBERS[-1]))
    return {RATIO: largest.p50_alone / smallest.p50_alone} if smallest and largest else {}


# Always the same ones, whatever their ids: early members are the most popular.
_ABOUT_SIXTY = """
    SELECT username FROM users WHERE following_count BETWEEN 55 AND 65
    ORDER BY md5(username) LIMIT 32
"""
