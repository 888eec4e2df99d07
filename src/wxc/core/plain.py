"""Answers that are written as they were put together, without a model in between.

For a page of twenty posts pydantic makes eighty models only to take them apart again; what it
then writes of the driver's own kind of UUIDs takes twice as long as of any other. See
docs/decisions/0027.
"""

from typing import Any, Generic, TypeVar, get_args

import orjson
from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema

Model = TypeVar("Model", bound=BaseModel)


class Plain(dict[str, Any], Generic[Model]):
    """What a `Model` says, all of it and in its order, as values that JSON has.

    A route that declares it declares its model, which FastAPI validates it with. A compiled route
    writes it as it stands; the tests hold every such answer against the model, byte by byte.
    """

    def json(self) -> bytes:
        """As the model would be written, which the tests compare."""
        return orjson.dumps(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - the annotation, whatever it is
        (model,) = get_args(source)
        return handler(model)
