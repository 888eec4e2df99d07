"""What the OpenAPI document teaches is true, and complete: examples, descriptions, refusals."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from tests.hostile.corpus import Operation, document, operations
from wxc.app import ROUTERS
from wxc.core.errors import all_refusals
from wxc.core.openapi.declarations import HEADERS
from wxc.core.openapi.examples import NoExample, example_of

JSON, PROBLEM = "application/json", "application/problem+json"
SCHEMAS: dict[str, Any] = document()["components"]["schemas"]
# Nothing can be said of them that their name and their model do not say.
SELF_EVIDENT = {"id", "created_at"}
ROUTES = {
    f"{route.tags[0]}_{route.name}": route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
}


def _successes(operation: Operation) -> Iterator[Mapping[str, Any]]:
    for status, response in operation.declared["responses"].items():
        if status < "300":
            yield response


def _refusals(operation: Operation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for status, response in operation.declared["responses"].items():
        if status >= "400":
            yield status, response


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_an_example_of_every_body_is_what_its_own_model_takes(operation: Operation) -> None:
    params = ROUTES[str(operation)].dependant.body_params
    assert bool(params) is ("requestBody" in operation.declared)
    for param in params:
        example = operation.declared["requestBody"]["content"][JSON]["example"]
        model: Any = param.field_info.annotation
        TypeAdapter(model).validate_python(example)
        assert operation.examples == [example]


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_an_example_of_every_answer_is_what_its_own_model_answers(operation: Operation) -> None:
    route = ROUTES[str(operation)]
    for response in _successes(operation):
        for kind, content in response.get("content", {}).items():
            if kind == JSON:
                model: TypeAdapter[Any] = TypeAdapter(route.response_model)
                answer = model.validate_python(content["example"])
                assert model.dump_python(answer, mode="json", by_alias=True) == content["example"]
            else:
                assert content["example"].startswith("event: snapshot\ndata: {")
                assert route.is_sse_stream


def test_a_field_without_an_example_is_found_when_the_document_is_made() -> None:
    with pytest.raises(NoExample):
        example_of({"properties": {"name": {"type": "string"}}, "required": ["name"]}, SCHEMAS)


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_part_of_an_operation_is_described(operation: Operation) -> None:
    declared = operation.declared
    assert declared["description"]
    for parameter in declared.get("parameters", ()):
        assert parameter["description"][0].isupper() or parameter["description"][0] == "`"
        assert {"type": "null"} not in parameter["schema"].get("anyOf", ())
    for response in declared["responses"].values():
        assert response["description"] not in ("", "Successful Response")
        for name, header in response["headers"].items():
            assert header == {"$ref": f"#/components/headers/{name}"}
            assert HEADERS[name]["description"]
            assert HEADERS[name]["example"]
        assert "X-Request-ID" in response["headers"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described(name: str) -> None:
    assert SCHEMAS[name]["description"]
    for field, schema in SCHEMAS[name].get("properties", {}).items():
        assert schema.get("description") or field in SELF_EVIDENT, field


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_refusal_is_an_example_and_a_literal(operation: Operation) -> None:
    for status, response in _refusals(operation):
        problem = response["content"][PROBLEM]
        base, narrowed = problem["schema"]["allOf"]
        codes = narrowed["properties"]["code"]["enum"]

        assert base["$ref"].endswith("/ValidationProblem" if status == "422" else "/Problem")
        assert narrowed["properties"]["status"]["const"] == int(status)
        assert narrowed["required"] == ["status", "code"]
        assert list(problem["examples"]) == codes
        assert set(codes) <= set(SCHEMAS["ErrorCode"]["enum"]) == set(all_refusals())
        for code in codes:
            assert all_refusals()[code].sentence() in response["description"]


def test_tags_are_described_and_all_of_them_are_used() -> None:
    tags = document()["tags"]

    assert {tag["name"] for tag in tags} == {operation.tag for operation in operations()}
    assert tags[0]["name"] == "auth"
    assert all(tag["description"].endswith(".") for tag in tags)
    assert "POST /login" in document()["info"]["description"]


def test_reading_needs_no_csrf_token() -> None:
    for operation in operations():
        if operation.method == "GET":
            assert "csrfToken" not in str(operation.declared["security"]), operation


def test_whoever_is_limited_is_told_how_long_to_wait() -> None:
    for operation in operations():
        for status, response in _refusals(operation):
            assert ("Retry-After" in response["headers"]) is (status in ("429", "503")), operation
