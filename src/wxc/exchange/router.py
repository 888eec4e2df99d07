"""Currency exchanges."""

from fastapi import APIRouter

from wxc.exchange import service
from wxc.exchange.schemas import CurrencyPage

router = APIRouter(tags=["exchange"])


@router.get("/currencies", summary="The currencies of the world")
async def list_currencies() -> CurrencyPage:
    """Every currency that a board may show, with its decimals. Cookies are ignored."""
    return service.list_currencies()
