"""Signed-in members for benches."""

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from functools import cache
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

from bench.data import connect
from bench.server import Server
from wxc.accounts.auth.cookies import CookieJar
from wxc.accounts.auth.tokens import Tokens
from wxc.core import clock
from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.demo import members as demo

READERS = tuple(f"member_{number}" for number in range(100, 132))
"""Typical members, with neither many followers nor many followees."""
WRITERS = tuple(f"member_{number}" for number in range(200, 232))
"""Other typical members, so that their posts do not fill the feeds of the readers."""
_SESSION_LIFETIME = timedelta(days=1)


class Member:
    """A signed-in member."""

    def __init__(self, server: Server, name: str) -> None:
        self._port = server.port
        credentials = {"identifier": name, "password": demo.PASSWORD}
        answer, body = self._send("POST", "/login", {}, credentials)
        cookies = SimpleCookie()
        for header in answer.headers.get_all("Set-Cookie") or ():
            cookies.load(header)
        self.id = UUID(body["user"]["id"])
        self.read_headers = {
            "Cookie": _cookies({name: cookie.value for name, cookie in cookies.items()})
        }
        self.write_headers = _write_headers(self.read_headers, body["csrf_token"])

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        return self._send("GET", path, self.read_headers)[1]

    def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: dict[str, str] | None = None,
    ) -> tuple[HTTPResponse, Any]:
        sent = json.dumps(body) if body else None
        content_type = {"Content-Type": "application/json"} if body else {}
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
            connection.request(method, path, sent, headers | content_type)
            answer = connection.getresponse()
            received = answer.read()
        if answer.status != 200:
            sys.exit(f"{method} {path} answered {answer.status}: {received.decode()[:300]}")
        return answer, json.loads(received)


@cache
def signed_in(server: Server, name: str) -> Member:
    """The member, logged in once per server."""
    return Member(server, name)


def readers(server: Server) -> Sequence[Member]:
    return [signed_in(server, name) for name in READERS]


def writers(server: Server) -> Sequence[Member]:
    return [signed_in(server, name) for name in WRITERS]


def insert_sessions(
    settings: Mapping[str, str], database_url: str, user_ids: Iterable[UUID]
) -> Sequence[dict[str, str]]:
    """Sign the members in without hashing passwords; returns the headers for their writes.

    Inserts the rows that a login would, and signs tokens with the keys of the server.
    """
    given: dict[str, Any] = {name.lower(): value for name, value in settings.items()}
    config = Config(**{name: value for name, value in given.items() if name in Config.model_fields})
    tokens, moment = Tokens(config), clock.now()
    sessions = [(new_id(), user_id) for user_id in user_ids]
    asyncio.run(_copy_sessions(database_url, sessions))
    jar = CookieJar(is_secure=False, lifetime=0, device_lifetime=0)
    return [
        _write_headers(
            {
                "Cookie": _cookies(
                    {
                        jar.access_name: tokens.access_token(user_id, session_id, moment),
                        jar.refresh_name: tokens.refresh_token(session_id, 0),
                    }
                )
            },
            tokens.csrf_token(session_id),
        )
        for session_id, user_id in sessions
    ]


async def _copy_sessions(database_url: str, sessions: Sequence[tuple[UUID, UUID]]) -> None:
    connection = await connect(database_url)
    moment = clock.now()
    until = moment + _SESSION_LIFETIME
    await connection.copy_records_to_table(
        "sessions",
        records=[(*session, moment, moment, until, until) for session in sessions],
        columns=("id", "user_id", "created_at", "last_used_at", "idle_until", "expires_at"),
    )
    await connection.close()


def _write_headers(read_headers: dict[str, str], csrf_token: str) -> dict[str, str]:
    return read_headers | {"X-CSRF-Token": csrf_token, "Content-Type": "application/json"}


def _cookies(values: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in values.items())
