"""Probes of the load balancer, of deployments and of alarms."""

from wxc.db.dependencies import Database
from wxc.health import service
from wxc.health.dependencies import Redis, Revisions, Shutdown, StartupState
from wxc.health.errors import Draining, NotReady, Starting
from wxc.health.schemas import Health, Readiness
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router

router = make_router("operations")


@router.get("/livez", summary="Alive?")
async def get_liveness() -> Health:
    """The process serves requests. Nothing else is asked."""
    return Health(status="ok")


@router.get("/healthz", summary="Fit for traffic?", responses=error_responses(Starting, Draining))
async def get_health(startup: StartupState, shutdown: Shutdown) -> Health:
    """For the load balancer: started, and not about to end; an outage leaves this green."""
    return service.health(startup, shutdown)


@router.get("/readyz", summary="Everything well?", responses=error_responses(NotReady))
async def get_readiness(database: Database, redis: Redis, known_revisions: Revisions) -> Readiness:
    """For deployments and alarms: the database, its schema, Redis, the mails, by name."""
    return await service.readiness(database, redis, known_revisions)
