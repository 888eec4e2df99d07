from wxc.core.currencies import currencies
from wxc.exchange.boards.schemas.currencies import CurrencyPage


def list_currencies() -> CurrencyPage:
    return {
        "items": [
            {
                "code": currency.code,
                "name": currency.name,
                "minor_units": currency.minor_units,
                "symbol": currency.symbol,
            }
            for currency in currencies().values()
        ],
        "next_cursor": None,
        "prev_cursor": None,
    }
