"""The router of a feature."""

from fastapi import APIRouter, Depends

from wxc.http.compiled_route import CompiledRoute
from wxc.http.dependencies import refuse_unknown_parameters


def make_router(tag: str, *, prefix: str = "") -> APIRouter:
    """A router of compiled routes, which refuse query parameters that they do not declare.

    Pass `include_router` the router and nothing else: FastAPI keeps its other arguments in a
    private context that routes do not see.
    """
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=[Depends(refuse_unknown_parameters)],
        route_class=CompiledRoute,
    )
