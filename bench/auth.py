"""The cost of authentication: session, revocation and CSRF check of a request.

Two routes are added to the application; one of them declares `CurrentUser`. Both receive the same
cookies, and the difference of their CPU time is the check. It is measured twice: at full speed,
when many checks share a round trip to Redis, and with a simulated query, when checks come singly.
"""

import asyncio
import sys
from collections.abc import Sequence

from fastapi import FastAPI

from bench.data import filled_database
from bench.load import Findings, LoadTest, measure
from bench.members import readers
from bench.options import Options
from bench.server import serve, start_server
from bench.settings import environment
from bench.wrk import Request
from wxc.accounts.auth.dependencies import CurrentUser
from wxc.http.routers import make_router
from wxc.server import runner
from wxc.server.protocol import BoundedProtocol

AT_ONCE = "auth share, 32 at once, µs"
ONE_BY_ONE = "auth share, one by one, µs"
_SIMULATED_QUERY_SECONDS = 0.05  # 32 connections then send some 600 requests/s
_router = make_router("bench", prefix="/bench")


@_router.get("/anybody")
async def answer_anonymous() -> dict[str, bool]:
    """Answer without authentication."""
    return {"answered": True}


@_router.get("/member")
async def answer_member(me: CurrentUser) -> dict[str, bool]:
    """Answer a member."""
    return {"answered": True}


@_router.get("/anybody/slowly")
async def answer_anonymous_slowly() -> dict[str, bool]:
    """Answer without authentication, after a simulated query."""
    await asyncio.sleep(_SIMULATED_QUERY_SECONDS)
    return {"answered": True}


@_router.get("/member/slowly")
async def answer_member_slowly(me: CurrentUser) -> dict[str, bool]:
    """Answer a member, after a simulated query."""
    await asyncio.sleep(_SIMULATED_QUERY_SECONDS)
    return {"answered": True}


def application() -> FastAPI:
    """The product's application with these routes, compiled like all others."""
    app = runner.application()
    app.include_router(_router)
    return app


def auth_share(options: Options) -> Findings:
    """The difference in CPU time with and without authentication."""
    database_url = filled_database(options.members)
    command = [sys.executable, "-m", "bench.auth"]
    with start_server(command, environment(database_url)) as server:
        cookies = [member.read_headers for member in readers(server)]
        tests = [
            LoadTest(path, server, [Request(f"/bench/{path}", headers) for headers in cookies])
            for path in ("anybody", "member", "anybody/slowly", "member/slowly")
        ]
        rounds = measure(tests, database_url, options.rounds, options.seconds)
    anybody, member, anybody_slowly, member_slowly = (rounds[test.name].app_cpu for test in tests)
    return Findings(figures={AT_ONCE: member - anybody, ONE_BY_ONE: member_slowly - anybody_slowly})


def main(arguments: Sequence[str]) -> None:
    """Serve with the parameters of the product."""
    serve(application, arguments, factory=True, http=BoundedProtocol, ws="none")


if __name__ == "__main__":
    main(sys.argv[1:])
