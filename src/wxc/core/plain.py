"""Answers that are written as they were put together, without a model in between.

For a page of twenty posts pydantic makes eighty models only to take them apart again; what it
then writes of the driver's own kind of UUIDs takes twice as long as of any other. See
docs/decisions/0028.
"""

from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, to_json

Model = TypeVar("Model", bound=BaseModel)


class Plain(dict[str, Any], Generic[Model]):
    """What a `Model` says, all of it, in its order, as JSON has it: texts, numbers, lists, dicts.

    A route that declares it declares its model, which FastAPI validates it with. The direct way
    writes it as it stands: the tests hold whatever they are answered against the models.
    """

    def json(self) -> bytes:
        """As the model would be written."""
        return to_json(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - the annotation, whatever it is
        (model,) = get_args(source)
        return handler(model)
