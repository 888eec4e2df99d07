"""A browser: stores cookies and sends the CSRF token like a front end."""

import sys
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx
from fastapi import FastAPI

from tests.support.factories import PASSWORD
from tests.support.secrecy import secrecy

# httpx tries to import it for each request, which searches every folder.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

ORIGIN = "http://api.test"
ADDRESS = "192.0.2.1"


class Browser:
    """Requests of one user to the application."""

    def __init__(self, app: FastAPI, base_url: str = ORIGIN, address: str = ADDRESS) -> None:
        self.address = address
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=(address, 50_000)), base_url=base_url
        )
        self.csrf_token: str | None = None
        self.username = ""
        self.id = UUID(int=0)  # of the user that logs in

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.http.aclose()

    async def log_in(self, identifier: str, password: str = PASSWORD) -> httpx.Response:
        """Log in and store the CSRF token."""
        response = await self.post("/login", json={"identifier": identifier, "password": password})
        if response.is_success:
            self.csrf_token = response.json()["csrf_token"]
        return response

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("PUT", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("DELETE", path, **options)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request with the CSRF token of the session, if any."""
        headers = dict(options.pop("headers", {}))
        if self.csrf_token is not None:
            headers.setdefault("X-CSRF-Token", self.csrf_token)
        secrecy.protect(self.csrf_token)
        secrecy.protect_body(options.get("json"))
        answer = await self.http.request(method, path, headers=headers, **options)
        secrecy.protect(*answer.cookies.values())
        return answer
