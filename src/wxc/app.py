import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from wxc.accounts.auth.context import Auth
from wxc.accounts.auth.cookies import CookieJar
from wxc.accounts.auth.dependencies import previous_session
from wxc.accounts.auth.router import router as auth
from wxc.accounts.auth.security import CSRF_TOKEN, SECURITY_SCHEMES
from wxc.accounts.deletion.router import router as deletions
from wxc.accounts.export.router import router as exports
from wxc.accounts.recovery.router import router as recovery
from wxc.accounts.sessions.router import router as sessions
from wxc.accounts.settings.router import router as settings
from wxc.core.build import package_version
from wxc.core.config import Config
from wxc.core.events import Events
from wxc.core.logging import configure_logging
from wxc.core.redis import RedisClient
from wxc.core.signing import derive_key
from wxc.core.tasks import cancel_all
from wxc.core.tracing import telemetry, trace_spans
from wxc.db.cursors import CursorSigner
from wxc.db.database import Database
from wxc.docs_pages import guide
from wxc.docs_pages.pages import Assets, OpenApiDocument
from wxc.docs_pages.router import router as documentation
from wxc.exchange.boards.router import router as boards
from wxc.exchange.history.router import router as rate_history
from wxc.exchange.quotes.router import router as quotes
from wxc.exchange.search.router import router as exchange_search
from wxc.exchange.stream.router import router as exchange_stream
from wxc.health.metrics import ServerMetrics
from wxc.health.router import router as health
from wxc.health.service import Startup
from wxc.http.compiled_route import verify_compiled_routes
from wxc.http.middleware.concurrency_limit import ConcurrencyLimit
from wxc.http.middleware.cors import Cors
from wxc.http.middleware.csrf_origin_check import CsrfOriginCheck
from wxc.http.middleware.error_handler import ErrorHandler
from wxc.http.middleware.request_body_limit import RequestBodyLimit
from wxc.http.middleware.request_context import RequestContext, default_headers
from wxc.http.middleware.stream_limit import StreamLimit
from wxc.http.openapi import install_openapi, operation_id
from wxc.http.problems import problem_response
from wxc.http.rate_limits import RateLimitStore
from wxc.http.refusals.base import Refusal
from wxc.http.route_table import RouteTable
from wxc.http.services import Services, services_of
from wxc.http.streams import StreamLimiter
from wxc.http.traffic import Traffic
from wxc.idempotency.dependencies import replay_response
from wxc.idempotency.errors import ReplayedResponse
from wxc.moderation.audit.actors import IdentifierHasher
from wxc.moderation.audit.dependencies import RefusalAuditor
from wxc.moderation.reports.router import router as reports
from wxc.server.shutdown import GracefulShutdown
from wxc.social.comments.router import router as comments
from wxc.social.feed.router import router as feed
from wxc.social.likes.router import router as likes
from wxc.social.notifications.router import router as notifications
from wxc.social.posts.router import router as posts
from wxc.social.relationships.router import router as relationships
from wxc.social.search.router import router as search
from wxc.social.users.router import router as users

# In the order of the OpenAPI document.
ROUTERS: tuple[APIRouter, ...] = (
    auth,
    recovery,
    sessions,
    settings,
    exports,
    deletions,
    search,
    users,
    relationships,
    posts,
    likes,
    comments,
    feed,
    notifications,
    boards,
    exchange_search,
    quotes,
    rate_history,
    exchange_stream,
    reports,
    health,
    documentation,
)

# Exempt from the concurrency limit: otherwise the load balancer would replace a busy instance.
_PROBES = re.compile("/livez|/healthz")
_STREAMS = re.compile("/settings/export|/notifications/stream|/users/[^/]+/exchange/stream")

# Routes with credentials have a lower body limit. `PUT /settings` is not one: it accepts a bio.
_ACCOUNT_PATHS = (
    "/register",
    "/login",
    "/logout",
    "/refresh-token",
    "/request-",
    "/reset-password",
    "/verify-email",
    "/cancel-email-change",
    "/restore-email",
    "/settings/",
    "/sessions",
)


def create_app(config: Config) -> FastAPI:
    """The application; it connects to PostgreSQL and Redis at startup, not here."""
    configure_logging(config)
    app = FastAPI(
        title=guide.TITLE,
        version=package_version(),
        summary=guide.SUMMARY,
        description=guide.DESCRIPTION,
        openapi_url=None,  # `OpenApiDocument` serves it, compressed; /docs is our own page
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        lifespan=_lifespan,
        telemetry=telemetry(config),
    )
    services = _services(config)
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    verify_compiled_routes(app)
    app.add_route("/openapi.json", OpenApiDocument(app).serve, include_in_schema=False)
    app.mount("/docs/assets", Assets(), name="assets")
    _add_handlers(app)
    _add_middleware(app, services)
    install_openapi(
        app, tags=guide.TAGS, routes=_routes(), schemes=SECURITY_SCHEMES, csrf_scheme=CSRF_TOKEN
    )
    return app


def _services(config: Config) -> Services:
    """The services that need no connection."""
    secret = config.secret_key.get_secret_value()
    return Services(
        config=config,
        cookies=CookieJar(
            is_secure=config.cookie_secure,
            lifetime=min(config.session_idle_lifetime, config.session_lifetime),
            device_lifetime=config.device_lifetime,
        ),
        cursors=CursorSigner(derive_key(secret, "cursor")),
        shutdown=GracefulShutdown(config.shutdown_delay),
        identifier_hasher=IdentifierHasher(config),
        idempotency_key=derive_key(secret, "idempotency"),
        metrics=ServerMetrics(),
        refusal_auditor=RefusalAuditor(previous_session),
        traffic=Traffic(),
    )


def connect(app: FastAPI, database: Database, redis: RedisClient) -> Services:
    """Set the application's database and Redis, and create the services that use them."""
    services: Services = app.state.services
    config = services.config
    services.database = database
    services.redis = redis
    services.events = Events(config, redis)
    database.publish_topics = services.events.publish
    services.limits = RateLimitStore(config, redis)
    services.auth = Auth(config, database, redis, services.events, services.limits)
    services.streams = StreamLimiter(config, services.traffic)
    services.startup = Startup()
    return services


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    config: Config = app.state.services.config
    with trace_spans(config, "wxc-api"):
        async with _running(app, config) as services:
            yield {
                "end_streams": services.events.end_streams,  # at shutdown, before the server waits
                "default_headers": default_headers(is_secure=config.cookie_secure),
                "head_deadline": config.head_deadline,
                "max_connections": config.connections_open,
            }
        logging.getLogger("wxc").info("stopped")


@contextlib.asynccontextmanager
async def _running(app: FastAPI, config: Config) -> AsyncIterator[Services]:
    services = connect(app, Database(config), RedisClient(config))
    services.shutdown.install_signal_handlers()
    tasks = [
        asyncio.create_task(services.auth.revocations.watch()),
        asyncio.create_task(services.startup.wait_for_database(services.database)),
        asyncio.create_task(services.events.watch()),
    ]
    if config.metrics_port is not None:
        tasks.append(asyncio.create_task(services.metrics.watch(services)))
    try:
        yield services
    finally:
        await cancel_all(tasks)
        services.auth.passwords.close()
        await services.events.close()
        await services.redis.close()
        await services.database.close()


def _add_handlers(app: FastAPI) -> None:
    for error in (HTTPException, RequestValidationError, Refusal):
        app.add_exception_handler(error, _problem_of_exception)
    # Starlette types every handler as one of any `Exception`.
    app.add_exception_handler(ReplayedResponse, replay_response)  # type: ignore[arg-type]


def _add_middleware(app: FastAPI, services: Services) -> None:
    """Added from the inside out: the last one receives the request first."""
    config = services.config
    if not config.tracing:  # FastAPI's own routers name the spans
        app.add_middleware(RouteTable, routes=_routes())
    app.add_middleware(
        StreamLimit,
        paths=_STREAMS,
        send_timeout=config.request_deadline,
        max_opening=config.streams_in_flight,
        traffic=services.traffic,
    )
    app.add_middleware(
        ConcurrencyLimit,
        deadline=config.request_deadline,
        max_requests=config.requests_in_flight,
        traffic=services.traffic,
        exempt_paths=re.compile(f"{_PROBES.pattern}|{_STREAMS.pattern}"),
    )
    app.add_middleware(
        RequestBodyLimit,
        limit_for=_body_limit(config),
        deadline=config.body_deadline,
        max_requests=config.requests_in_flight,
        traffic=services.traffic,
    )
    app.add_middleware(CsrfOriginCheck, origins=config.cors_origins)
    app.add_middleware(ErrorHandler, respond=_problem_of_exception)
    app.add_middleware(Cors, origins=config.cors_origins)
    app.add_middleware(
        RequestContext,
        default_headers=default_headers(is_secure=config.cookie_secure),
        on_response=services.metrics.record_request,
        shutdown=services.shutdown,
    )


def _body_limit(config: Config) -> Callable[[str], int]:
    def limit_for(path: str) -> int:
        is_account = path.startswith(_ACCOUNT_PATHS)
        return config.account_body_limit if is_account else config.body_limit

    return limit_for


async def _problem_of_exception(request: Request, error: Exception) -> Response:
    answer = problem_response(request.scope, error)
    if answer.status_code == 405:
        # No route matches the mounted assets, which are read-only.
        allowed = sorted(_allowed_methods(request.scope)) or ["GET", "HEAD"]
        answer.headers["Allow"] = ", ".join(allowed)
    await services_of(request).refusal_auditor.record(request, error)
    return answer


def _allowed_methods(scope: Scope) -> Iterator[str]:
    """Every method of the path; Starlette lists only those of the first matching route."""
    for route in _routes():
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            methods = route.methods or set()
            yield from methods | {"HEAD"} if "GET" in methods else methods


def _routes() -> Iterator[APIRoute]:
    routes = chain.from_iterable(router.routes for router in ROUTERS)
    yield from (route for route in routes if isinstance(route, APIRoute))
