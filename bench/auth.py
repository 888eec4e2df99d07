"""What it costs to know who asks: session, revocation and CSRF check of an authenticated request.

The product's own application, with two more routes of which one declares `CurrentUser`. Both are
sent the same cookies; what one costs more than the other is the check. They are asked twice: as
fast as they answer, so that many share a round trip to Redis, and with a wait as for a database,
when the requests come one by one.
"""

import asyncio
import sys
from collections.abc import Sequence

from fastapi import FastAPI

from bench.choice import Choice
from bench.data import filled
from bench.load import Findings, Target, measure
from bench.members import readers
from bench.server import serve, served
from bench.settings import environment
from bench.wrk import Request
from wxc.accounts.auth.dependencies import CurrentUser
from wxc.http.routers import make_router
from wxc.server import runner as serving
from wxc.server.protocol import BoundedProtocol

AT_ONCE = "auth share, 32 at once, µs"
ONE_BY_ONE = "auth share, one by one, µs"
_DATABASE = 0.05  # seconds: 32 connections come to some 600 requests/s
_router = make_router("bench", prefix="/bench")


@_router.get("/anybody")
async def answer_anybody() -> dict[str, bool]:
    """Answer whoever asks."""
    return {"answered": True}


@_router.get("/member")
async def answer_member(me: CurrentUser) -> dict[str, bool]:
    """Answer a member."""
    return {"answered": True}


@_router.get("/anybody/slowly")
async def answer_anybody_slowly() -> dict[str, bool]:
    """Answer whoever asks, after a while."""
    await asyncio.sleep(_DATABASE)
    return {"answered": True}


@_router.get("/member/slowly")
async def answer_member_slowly(me: CurrentUser) -> dict[str, bool]:
    """Answer a member, after a while."""
    await asyncio.sleep(_DATABASE)
    return {"answered": True}


def application() -> FastAPI:
    """The product's, and these routes, which are compiled as the feed's is."""
    app = serving.application()
    app.include_router(_router)
    return app


def auth_share(choice: Choice) -> Findings:
    """By how much the CPU time of the pairs differs."""
    database_url = filled(choice.members)
    command = [sys.executable, "-m", "bench.auth"]
    with served(command, environment(database_url)) as server:
        cookies = [member.reading for member in readers(server)]
        targets = [
            Target(path, server, [Request(f"/bench/{path}", reading) for reading in cookies])
            for path in ("anybody", "member", "anybody/slowly", "member/slowly")
        ]
        rounds = measure(targets, database_url, choice.rounds, choice.seconds)
    anybody, member, anybody_slowly, member_slowly = (
        rounds[target.name].app_cpu for target in targets
    )
    return Findings(figures={AT_ONCE: member - anybody, ONE_BY_ONE: member_slowly - anybody_slowly})


def main(arguments: Sequence[str]) -> None:
    """Serve as the product does."""
    serve(application, arguments, factory=True, http=BoundedProtocol, ws="none")


if __name__ == "__main__":
    main(sys.argv[1:])
