"""The demo's log-ins, for the page that shows them."""

from typing import Annotated

from fastapi import Depends, Request

from wxc.docs_pages.pages import DemoLogins
from wxc.http.services import services_of


async def demo_logins(request: Request) -> DemoLogins | None:
    """Whom one can log in as where the demo's members are; never in production."""
    config = services_of(request).config
    if config.environment == "production" or not config.demo_data:
        return None
    from wxc.demo import members as demo  # which nobody else needs at the server

    return DemoLogins(demo.LOGINS, demo.PASSWORD)


Demo = Annotated[DemoLogins | None, Depends(demo_logins)]
