"""Health, and the documentation's pages."""

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from wxc.core.dependencies import Database
from wxc.core.errors import NotFound, all_refusals
from wxc.core.openapi import documented
from wxc.http.routers import make_router
from wxc.operations import pages, service
from wxc.operations.dependencies import Demo, EndOfProcess, Redis, Revisions, StartupState
from wxc.operations.errors import AboutToEnd, NotReady, NotStarted
from wxc.operations.schemas import Health, Readiness

router = make_router("operations")


@router.get("/livez", summary="Alive?")
async def get_liveness() -> Health:
    """The process serves requests. Nothing else is asked."""
    return Health(status="ok")


@router.get("/healthz", summary="Fit for traffic?", responses=documented(NotStarted, AboutToEnd))
async def get_health(startup: StartupState, end: EndOfProcess) -> Health:
    """For the load balancer: started, and not about to end; an outage leaves this green."""
    return service.health(startup, end)


@router.get("/readyz", summary="Everything well?", responses=documented(NotReady))
async def get_readiness(database: Database, redis: Redis, known: Revisions) -> Readiness:
    """For deployments and alarms: the database, its schema, Redis, the mails, by name."""
    return await service.readiness(database, redis, known)


@router.get("/", include_in_schema=False)
async def get_root() -> RedirectResponse:
    """To the documentation."""
    return RedirectResponse("/docs")


@router.get("/docs", include_in_schema=False, response_class=HTMLResponse)
async def get_docs(request: Request, demo: Demo) -> Response:
    """Swagger UI, signed in."""
    return pages.docs_page(request.app.title, demo)


@router.get("/docs/errors", include_in_schema=False, response_class=HTMLResponse)
async def list_errors() -> Response:
    """All error codes."""
    return pages.error_index(all_refusals())


@router.get("/docs/errors/{code}", include_in_schema=False, response_class=HTMLResponse)
async def get_error(request: Request, code: str) -> Response:
    """What one error code means, and what to do about it."""
    refusal = all_refusals().get(code)
    if refusal is None:
        raise NotFound
    return pages.error_page(refusal, request.app.openapi())
