"""Completes the OpenAPI document that FastAPI generates.

With `declarations`, routers and dependencies declare headers, security and refusals. `refusals`
documents the error responses, `examples` builds examples, and `document` applies all of it.
"""

from wxc.http.openapi.declarations import (
    ANONYMOUS,
    WITH_LOCATION,
    event_stream,
    headers,
    needs,
    raises,
    response_example,
    sends,
)
from wxc.http.openapi.document import answer_with, install_openapi, operation_id
from wxc.http.openapi.refusals import codes_of, error_responses

__all__ = [
    "ANONYMOUS",
    "WITH_LOCATION",
    "answer_with",
    "codes_of",
    "error_responses",
    "event_stream",
    "headers",
    "install_openapi",
    "needs",
    "operation_id",
    "raises",
    "response_example",
    "sends",
]
