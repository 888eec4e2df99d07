"""The documentation as a person sees it: Swagger UI from our own assets, and a page per error."""

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

# Swagger UI writes style attributes and draws its icons from data: addresses; nothing else is
# loaded from anywhere but here.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_KEPT_BY_BROWSERS = "public, max-age=3600"


class Assets(StaticFiles):
    """The vendored assets; browsers keep them for an hour."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent / "assets")
        self._texts: dict[str, CompressedText] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 304; texts are compressed."""
        answer = await super().get_response(path, scope)
        if isinstance(answer, FileResponse) and str(answer.media_type).startswith("text/"):
            return (await self._text(answer)).answer(Headers(scope=scope))
        answer.headers["Cache-Control"] = _KEPT_BY_BROWSERS
        return answer

    async def _text(self, file: FileResponse) -> CompressedText:
        name = str(file.path)
        if name not in self._texts:
            self._texts[name] = await run_in_threadpool(
                lambda: compress(Path(name).read_bytes(), str(file.media_type), _KEPT_BY_BROWSERS)
            )
        return self._texts[name]


class Document:
    """The OpenAPI document of an application, made and compressed when it is first asked for."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._text: CompressedText | None = None

    async def serve(self, request: Request) -> Response:
        """The document, or 304."""
        if self._text is None:
            self._text = await run_in_threadpool(self._compressed)
        return self._text.answer(request.headers)

    def _compressed(self) -> CompressedText:
        document = json.dumps(self._app.openapi(), ensure_ascii=False, separators=(",", ":"))
        return compress(document.encode(), "application/json", "no-cache")


@dataclass(frozen=True, slots=True)
class DemoLogins:
    """Whom a visitor of a demo may log in as."""

    names: tuple[str, ...]
    password: str


@dataclass(frozen=True, slots=True)
class _Route:
    """A route as an error's page names it."""

    method: str
    path: str
    tag: str
    operation_id: str
    summary: str


def docs_page(title: str, demo: DemoLogins | None) -> Response:
    """Swagger UI on our document, below a form to log in with."""
    return _page("docs.html", title=title, demo=demo)


def error_index(catalogue: Mapping[str, type[Refusal]]) -> Response:
    """All error codes, by their status."""
    refusals = sorted(catalogue.values(), key=lambda one: (one.status, one.code()))
    statuses = [
        (HTTPStatus(status), list(group))
        for status, group in groupby(refusals, key=lambda one: one.status)
    ]
    return _page("errors.html", title="Errors", statuses=statuses)


def error_page(refusal: type[Refusal], document: Mapping[str, Any]) -> Response:
    """What one error code means, what to do about it, and which routes answer with it."""
    example = document["components"]["examples"][refusal.code()]["value"]
    return _page(
        "error.html",
        title=refusal.code(),
        refusal=refusal,
        status=HTTPStatus(refusal.status),
        answering=list(_answering(refusal, document)),
        everywhere=sum(len(operations) for operations in document["paths"].values()),
        example=json.dumps(example, indent=2),
    )


def _answering(refusal: type[Refusal], document: Mapping[str, Any]) -> Iterator[_Route]:
    for path, operations in document["paths"].items():
        for method, declared in operations.items():
            response = answer_with(document, declared, refusal.status)
            if refusal.code() in codes_of(response):
                yield _Route(
                    method.upper(),
                    path,
                    declared["tags"][0],
                    declared["operationId"],
                    declared["summary"],
                )


def _page(template: str, **values: object) -> Response:
    html = _templates().get_template(template).render(values)
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("wxc.docs_pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = _marked
    return environment


def _marked(text: str) -> Markup:
    """What stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
