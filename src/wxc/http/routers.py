"""The router of a feature."""

from fastapi import APIRouter, Depends

from wxc.http.compiled_route import CompiledRoute
from wxc.http.dependencies import refuse_unknown_parameters


def make_router(tag: str, *, prefix: str = "") -> APIRouter:
    """A router of compiled routes, which refuse query parameters that they do not declare.

    `include_router` is given the router and nothing else: FastAPI keeps what it is given there in
    a private context that routes do not see.
    """
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=[Depends(refuse_unknown_parameters)],
        route_class=CompiledRoute,
    )
