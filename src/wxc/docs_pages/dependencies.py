from typing import Annotated

from fastapi import Depends, Request

from wxc.docs_pages.pages import DemoLogins
from wxc.http.services import services_of


async def demo_logins(request: Request) -> DemoLogins | None:
    """None in production and without demo data."""
    config = services_of(request).config
    if config.environment == "production" or not config.demo_data:
        return None
    from wxc.demo import members as demo  # servers without demo data do not need it

    return DemoLogins(demo.LOGIN_NAMES, demo.PASSWORD)


Demo = Annotated[DemoLogins | None, Depends(demo_logins)]
