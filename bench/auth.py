"""The cost of authentication: session, revocation and CSRF check of a request.

Two routes are added to the application; one of them declares `CurrentUser`. Both receive the same
cookies, and the difference in CPU time is the cost of authentication. It is measured twice: at full
speed, when many checks share a round trip to Redis, and with a simulated query, when few do.
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


@_router.get("/anonymous")
async def answer_anonymous() -> dict[str, bool]:
    return {"answered": True}


@_router.get("/member")
async def answer_member(me: CurrentUser) -> dict[str, bool]:
    return {"answered": True}


@_router.get("/anonymous/slowly")
async def answer_anonymous_slowly() -> dict[str, bool]:
    await asyncio.sleep(_SIMULATED_QUERY_SECONDS)
    return {"answered": True}


@_router.get("/member/slowly")
async def answer_member_slowly(me: CurrentUser) -> dict[str, bool]:
    await asyncio.sleep(_SIMULATED_QUERY_SECONDS)
    return {"answered": True}


def application() -> FastAPI:
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
            for path in ("anonymous", "member", "anonymous/slowly", "member/slowly")
        ]
        rounds = measure(tests, database_url, options.rounds, options.seconds)
    anonymous, member, anonymous_slowly, member_slowly = (
        rounds[test.name].app_cpu for test in tests
    )
    return Findings(
        figures={AT_ONCE: member - anonymous, ONE_BY_ONE: member_slowly - anonymous_slowly}
    )


def main(arguments: Sequence[str]) -> None:
    """Serve like `wxc serve`."""
    serve(application, arguments, factory=True, http=BoundedProtocol, ws="none")


if __name__ == "__main__":
    main(sys.argv[1:])
