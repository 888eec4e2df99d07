from fastapi import APIRouter, Depends

from wxc.http.compiled_route import CompiledRoute
from wxc.http.dependencies import refuse_unknown_parameters


def make_router(tag: str, *, prefix: str = "") -> APIRouter:
    """A router of compiled routes that refuse undeclared query parameters.

    Call `include_router(router)` without other arguments: FastAPI keeps them in a private context
    that routes do not see.
    """
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=[Depends(refuse_unknown_parameters)],
        route_class=CompiledRoute,
    )
