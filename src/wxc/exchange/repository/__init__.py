"""SQL for exchanges."""

from wxc.exchange.repository.boards import LINE, ExchangeReader, ExchangeRepository, point
from wxc.exchange.repository.search import SearchReader

__all__ = ["LINE", "ExchangeReader", "ExchangeRepository", "SearchReader", "point"]
