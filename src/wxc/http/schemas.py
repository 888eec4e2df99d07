from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """Part of a response body; field docstrings become OpenAPI descriptions."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Input(Schema):
    """Part of a request body; undeclared fields are refused."""

    model_config = ConfigDict(extra="forbid")
