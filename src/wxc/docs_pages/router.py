from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from wxc.docs_pages import pages
from wxc.docs_pages.dependencies import Demo
from wxc.http.refusals.base import all_refusals
from wxc.http.refusals.resources import NotFound
from wxc.http.routers import make_router

router = make_router("operations")


@router.get("/", include_in_schema=False)
async def get_root() -> RedirectResponse:
    """Redirect to the documentation."""
    return RedirectResponse("/docs")


@router.get("/docs", include_in_schema=False, response_class=HTMLResponse)
async def get_docs(request: Request, demo: Demo) -> Response:
    """Serve Swagger UI with a login form."""
    return pages.docs_page(request.app.title, demo)


@router.get("/docs/errors", include_in_schema=False, response_class=HTMLResponse)
async def list_errors() -> Response:
    """List all error codes."""
    return pages.error_index(all_refusals())


@router.get("/docs/errors/{code}", include_in_schema=False, response_class=HTMLResponse)
async def get_error(request: Request, code: str) -> Response:
    """Explain an error code and how to handle it."""
    refusal = all_refusals().get(code)
    if refusal is None:
        raise NotFound
    return pages.error_page(refusal, request.app.openapi())
