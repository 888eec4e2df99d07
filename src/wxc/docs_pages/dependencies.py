"""The logins of the demo, for the documentation page."""

from typing import Annotated

from fastapi import Depends, Request

from wxc.docs_pages.pages import DemoLogins
from wxc.http.services import services_of


async def demo_logins(request: Request) -> DemoLogins | None:
    """The logins of a database with demo data; None in production."""
    config = services_of(request).config
    if config.environment == "production" or not config.demo_data:
        return None
    from wxc.demo import members as demo  # not needed by a server without demo data

    return DemoLogins(demo.LOGIN_NAMES, demo.PASSWORD)


Demo = Annotated[DemoLogins | None, Depends(demo_logins)]
