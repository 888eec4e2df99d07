"""The documentation as a person sees it: Swagger UI from our own assets, and a page per error."""

from collections.abc import Iterator, Mapping
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from wxc.core.errors import Refusal

# Swagger UI writes style attributes and draws its icons from data: addresses; nothing else is
# loaded from anywhere but here.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
{links}
</head>
<body>
{body}
</body>
</html>
"""

_DOCS = """<p class="hint">To try signed-in requests, run <code>POST /login</code> first: this page
then keeps your session alive and sends its CSRF token by itself.
<a href="/docs/errors">All errors</a></p>
<div id="docs"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/docs.js"></script>"""

_STYLE = '<link rel="stylesheet" href="/docs/assets/docs.css">'
_SWAGGER_STYLE = '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">'


class Assets(StaticFiles):
    """The vendored assets; browsers keep them for an hour."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent / "assets")

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - Starlette's
        """The file, or 304."""
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "public, max-age=3600"
        return answer


def docs_page(title: str) -> Response:
    """Swagger UI on our document."""
    return _page(title, _DOCS, _SWAGGER_STYLE + _STYLE)


def error_page(refusal: type[Refusal]) -> Response:
    """What one error code means."""
    code, status = refusal.code(), HTTPStatus(refusal.status)
    body = (
        f"<main><p><a href='/docs/errors'>All errors</a></p><h1><code>{escape(code)}</code></h1>"
        f"<p>{escape(refusal.sentence())}</p>"
        f"<p>Answered with status {status.value} ({escape(status.phrase)}).</p></main>"
    )
    return _page(code, body, _STYLE)


def error_index(catalogue: Mapping[str, type[Refusal]]) -> Response:
    """All error codes."""
    rows = "".join(_rows(catalogue))
    body = (
        "<main><p><a href='/docs'>Documentation</a></p><h1>Errors</h1>"
        "<p>Every error is a <code>application/problem+json</code> document (RFC 9457); compare "
        f"its <code>code</code>.</p><table><tr><th>Code</th><th>Status</th><th>Meaning</th></tr>"
        f"{rows}</table></main>"
    )
    return _page("Errors", body, _STYLE)


def _rows(catalogue: Mapping[str, type[Refusal]]) -> Iterator[str]:
    for code, refusal in sorted(catalogue.items()):
        yield (
            f"<tr><td><a href='/docs/errors/{code}'><code>{code}</code></a></td>"
            f"<td>{refusal.status}</td><td>{escape(refusal.sentence())}</td></tr>"
        )


def _page(title: str, body: str, links: str) -> Response:
    html = _PAGE.format(title=escape(title), body=body, links=links)
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})
