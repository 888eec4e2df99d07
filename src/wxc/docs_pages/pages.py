"""Documentation pages: Swagger UI from bundled assets, and a page for each error code."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from wxc.docs_pages.compression import CompressedText, compress
from wxc.http.openapi import answer_with, codes_of
from wxc.http.refusals.base import Refusal

# Swagger UI writes style attributes and uses data: URLs for icons; everything else is loaded from
# this server.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_CACHE_CONTROL = "public, max-age=3600"


class Assets(StaticFiles):
    """The bundled assets; browsers cache them for an hour."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent / "assets")
        self._texts: dict[str, CompressedText] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse) and str(response.media_type).startswith("text/"):
            return (await self._text(response)).response(Headers(scope=scope))
        response.headers["Cache-Control"] = _CACHE_CONTROL
        return response

    async def _text(self, file: FileResponse) -> CompressedText:
        name = str(file.path)
        if name not in self._texts:
            self._texts[name] = await run_in_threadpool(
                lambda: compress(Path(name).read_bytes(), str(file.media_type), _CACHE_CONTROL)
            )
        return self._texts[name]


class OpenApiDocument:
    """The OpenAPI document of an application; generated and compressed on the first request."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._text: CompressedText | None = None

    async def serve(self, request: Request) -> Response:
        if self._text is None:
            self._text = await run_in_threadpool(self._compress)
        return self._text.response(request.headers)

    def _compress(self) -> CompressedText:
        document = json.dumps(self._app.openapi(), ensure_ascii=False, separators=(",", ":"))
        return compress(document.encode(), "application/json", "no-cache")


@dataclass(frozen=True, slots=True)
class DemoLogins:
    """The accounts with which visitors of a demo can log in."""

    names: tuple[str, ...]
    password: str


def docs_page(title: str, demo: DemoLogins | None) -> Response:
    """Swagger UI, below a login form."""
    return _page("docs.html", title=title, demo=demo)


def error_index(catalogue: Mapping[str, type[Refusal]]) -> Response:
    refusals = sorted(catalogue.values(), key=lambda refusal: (refusal.status, refusal.code()))
    statuses = [
        (HTTPStatus(status), list(group))
        for status, group in groupby(refusals, key=lambda refusal: refusal.status)
    ]
    return _page("errors.html", title="Errors", statuses=statuses)


def error_page(refusal: type[Refusal], document: Mapping[str, Any]) -> Response:
    """The meaning of an error code, its remedy, and the routes that return it."""
    example = document["components"]["examples"][refusal.code()]["value"]
    return _page(
        "error.html",
        title=refusal.code(),
        refusal=refusal,
        status=HTTPStatus(refusal.status),
        routes=list(_routes_raising(refusal, document)),
        operation_count=sum(len(operations) for operations in document["paths"].values()),
        example=json.dumps(example, indent=2),
    )


def _routes_raising(
    refusal: type[Refusal], document: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """The operations that document the refusal, each with its method and path."""
    operations = (
        operation | {"method": method.upper(), "path": path}
        for path, by_method in document["paths"].items()
        for method, operation in by_method.items()
    )
    for operation in operations:
        if refusal.code() in codes_of(answer_with(document, operation, refusal.status)):
            yield operation


def _page(template: str, **values: object) -> Response:
    html = _templates().get_template(template).render(values)
    return HTMLResponse(html, headers={"Content-Security-Policy": _CONTENT_SECURITY_POLICY})


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("wxc.docs_pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mark_code"] = _mark_code
    return environment


def _mark_code(text: str) -> Markup:
    """Render text between backticks as `<code>`."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
