from wxc.db.dependencies import Database
from wxc.health import service
from wxc.health.dependencies import Redis, Revisions, Shutdown, StartupState
from wxc.health.errors import Draining, NotReady, Starting
from wxc.health.schemas import Health
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router

router = make_router("operations")


@router.get("/livez", summary="Check liveness")
async def get_liveness() -> Health:
    """For orchestrators: succeeds while the process serves requests."""
    return Health(status="ok")


@router.get("/healthz", summary="Check health", responses=error_responses(Starting, Draining))
async def get_health(startup: StartupState, shutdown: Shutdown) -> Health:
    """For load balancers: succeeds between start and shutdown, even while a dependency is down."""
    return service.health(startup, shutdown)


@router.get("/readyz", summary="Check readiness", responses=error_responses(NotReady))
async def get_readiness(database: Database, redis: Redis, known_revisions: Revisions) -> Health:
    """For deployments and alarms: checks everything that the service depends on.

    Operators: `/readyz` on `METRICS_PORT` names each check.
    """
    return await service.readiness(database, redis, known_revisions)
