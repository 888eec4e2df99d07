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

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from wxc.core.errors import Refusal
from wxc.core.openapi import answer_with, codes_of

# Swagger UI writes style attributes and draws its icons from data: addresses; nothing else is
# loaded from anywhere but here.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class Assets(StaticFiles):
    """The vendored assets; browsers keep them for an hour."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent / "assets")

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - Starlette's
        """The file, or 304."""
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "public, max-age=3600"
        return answer


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
        loader=PackageLoader("wxc.operations"),
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
