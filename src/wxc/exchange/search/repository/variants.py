from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import Double, Numeric, String, bindparam

from wxc.db.prepared import VariantArgument
from wxc.exchange.domain.quotes import ConversionRequest
from wxc.exchange.domain.search import SearchArea, SearchRequest

_AREA = cast(Any, SearchArea)(
    *(bindparam(f"search_{name}", type_=Double()) for name in ("lat", "lon", "radius"))
)
_CONVERSION = cast(Any, ConversionRequest)(
    bindparam("search_source", type_=String()),
    bindparam("search_target", type_=String()),
    bindparam("search_amount", type_=Numeric()),
)


@dataclass(frozen=True)
class SearchVariant(VariantArgument):
    """One prepared statement per combination of area, conversion, sort and staleness."""

    request: SearchRequest

    @property
    def variant(self) -> "SearchVariant":
        """The same search with bind parameters for its values."""
        area, conversion = self.request.area and _AREA, self.request.conversion and _CONVERSION
        return SearchVariant(
            replace(self.request, area=area, conversion=conversion, is_open_now=False)
        )

    @property
    def parameters(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if area := self.request.area:
            values |= {
                "search_lat": area.lat,
                "search_lon": area.lon,
                "search_radius": area.radius_metres,
            }
        if conversion := self.request.conversion:
            values |= {"search_source": conversion.source, "search_target": conversion.target}
            values["search_amount"] = conversion.from_amount
        return values
