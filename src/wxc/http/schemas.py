"""Base classes of request and response bodies."""

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """Part of a response body; the docstrings of its fields are their descriptions."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Input(Schema):
    """Part of a request body; it refuses fields that it does not declare."""

    model_config = ConfigDict(extra="forbid")
