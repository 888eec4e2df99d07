"""Those who are signed in while something is measured."""

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
from bench.server import Served
from wxc.accounts.auth.cookies import CookieJar
from wxc.accounts.auth.tokens import Tokens
from wxc.core import clock
from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.demo import members as demo

READERS = tuple(f"member_{number}" for number in range(100, 132))
"""Members as most are: neither followed by very many, nor reading very many."""
WRITERS = tuple(f"member_{number}" for number in range(200, 232))
"""As most are too; others, so that what they write is not all that the readers read."""
_MINTED_FOR = timedelta(days=1)


class Member:
    """Somebody who is signed in."""

    def __init__(self, server: Served, name: str) -> None:
        self._port = server.port
        credentials = {"identifier": name, "password": demo.PASSWORD}
        answer, body = self._send("POST", "/login", {}, credentials)
        cookies = SimpleCookie()
        for header in answer.headers.get_all("Set-Cookie") or ():
            cookies.load(header)
        self.id = UUID(body["user"]["id"])
        self.reading = {"Cookie": _cookies({key: one.value for key, one in cookies.items()})}
        self.writing = _writing(self.reading, body["csrf_token"])

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The body of an answer."""
        return self._send("GET", path, self.reading)[1]

    def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: dict[str, str] | None = None,
    ) -> tuple[HTTPResponse, Any]:
        said = json.dumps(body) if body else None
        kind = {"Content-Type": "application/json"} if body else {}
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
            connection.request(method, path, said, headers | kind)
            answer = connection.getresponse()
            read = answer.read()
        if answer.status != 200:
            sys.exit(f"{method} {path} answered {answer.status}: {read.decode()[:300]}")
        return answer, json.loads(read)


@cache
def signed_in(server: Served, name: str) -> Member:
    """The member, logged in once for all that is measured on that server."""
    return Member(server, name)


def readers(server: Served) -> Sequence[Member]:
    """Those who read, and do not write."""
    return [signed_in(server, name) for name in READERS]


def writers(server: Served) -> Sequence[Member]:
    """Those who write."""
    return [signed_in(server, name) for name in WRITERS]


def minted(
    settings: Mapping[str, str], database_url: str, user_ids: Iterable[UUID]
) -> Sequence[dict[str, str]]:
    """The headers of writing members, signed in without the price of a password each.

    The sessions are rows as a login leaves them; the tokens are signed with the server's keys.
    """
    given: dict[str, Any] = {name.lower(): value for name, value in settings.items()}
    config = Config(**{name: one for name, one in given.items() if name in Config.model_fields})
    tokens, moment = Tokens(config), clock.now()
    sessions = [(new_id(), user_id) for user_id in user_ids]
    asyncio.run(_keep(database_url, sessions))
    jar = CookieJar(is_secure=False, lifetime=0, device_lifetime=0)
    return [
        _writing(
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


async def _keep(database_url: str, sessions: Sequence[tuple[UUID, UUID]]) -> None:
    connection = await connect(database_url)
    moment = clock.now()
    until = moment + _MINTED_FOR
    await connection.copy_records_to_table(
        "sessions",
        records=[(*one, moment, moment, until, until) for one in sessions],
        columns=("id", "user_id", "created_at", "last_used_at", "idle_until", "expires_at"),
    )
    await connection.close()


def _writing(reading: dict[str, str], csrf_token: str) -> dict[str, str]:
    return reading | {"X-CSRF-Token": csrf_token, "Content-Type": "application/json"}


def _cookies(values: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in values.items())
