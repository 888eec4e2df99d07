"""Examples, descriptions and refusals of the OpenAPI document are complete and correct."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from tests.hostile.corpus import Operation, document, operations
from wxc.app import ROUTERS
from wxc.http.openapi.declarations import HEADERS
from wxc.http.openapi.examples import NoExample, example_of
from wxc.http.openapi.refusals import TRANSPORT
from wxc.http.refusals.base import all_refusals

JSON, PROBLEM = "application/json", "application/problem+json"
SCHEMAS: dict[str, Any] = document()["components"]["schemas"]
MAX_DOCUMENT_BYTES = 550_000
# Fields whose names need no description.
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
def test_every_body_example_is_valid(operation: Operation) -> None:
    params = ROUTES[str(operation)].dependant.body_params
    assert bool(params) is ("requestBody" in operation.declared)
    for param in params:
        example = operation.declared["requestBody"]["content"][JSON]["example"]
        model: Any = param.field_info.annotation
        TypeAdapter(model).validate_python(example)
        assert operation.examples == [example]


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_response_example_is_valid(operation: Operation) -> None:
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


def test_required_field_without_an_example_is_an_error() -> None:
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


def _problems(response: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The names and schemas of a documented refusal."""
    schema = response["content"][PROBLEM]["schema"]
    for choice in schema.get("oneOf", [schema]):
        name = choice["$ref"].removeprefix("#/components/schemas/")
        yield name, SCHEMAS[name]


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_refusal_has_an_example_and_literal_status_and_code(operation: Operation) -> None:
    for status, response in _refusals(operation):
        statuses = {int(status)} if status != "default" else {one.status for one in TRANSPORT}
        codes = []
        for name, schema in _problems(response):
            base, narrowed = schema["allOf"]
            fields = narrowed["properties"]
            codes += [
                code
                for code in _literals(fields["code"])
                if all_refusals()[code].status in statuses
            ]

            is_shared = name == "TransportProblem"
            assert base["$ref"].endswith("/ValidationProblem" if status == "422" else "/Problem")
            assert is_shared or fields["status"]["const"] == int(status)
            assert is_shared or all_refusals()[fields["code"]["const"]].__name__ == name
            assert statuses <= set(_literals(fields["status"]))
            assert narrowed["required"] == ["status", "code"]

        assert list(response["content"][PROBLEM]["examples"]) == codes
        assert set(codes) <= set(SCHEMAS["ErrorCode"]["enum"]) == set(all_refusals())
        for code in codes:
            assert all_refusals()[code].detail() in response["description"]


def _literals(schema: Mapping[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema["enum"])


def test_error_responses_are_unique_components_and_all_are_used() -> None:
    components, paths = document()["components"], json.dumps(document()["paths"])
    errors = {name: json.dumps(one) for name, one in components["responses"].items()}

    assert PROBLEM not in paths
    assert len(set(errors.values())) == len(errors)
    for name in errors:
        assert f'"#/components/responses/{name}"' in paths
    for name in {one.__name__ for one in all_refusals().values()} & SCHEMAS.keys():
        assert any(f'"#/components/schemas/{name}"' in one for one in errors.values()), name


def test_transport_refusals_share_one_response_and_one_schema() -> None:
    responses = document()["components"]["responses"]
    transport = SCHEMAS["TransportProblem"]["allOf"][1]["properties"]

    assert set(transport["code"]["enum"]) == {one.code() for one in TRANSPORT}
    assert set(transport["status"]["enum"]) == {400, 408, 413, 414, 415, 431, 500, 503}
    for operation in operations():
        assert operation.declared["responses"]["default"] is responses["TransportProblem"]
        assert "TransportProblem" in dict(_problems(operation.declared["responses"]["503"]))


def test_no_model_is_named_like_a_refusal() -> None:
    models = {
        name for name, schema in SCHEMAS.items() if "allOf" not in schema and name != "ErrorCode"
    }

    assert not models & {one.__name__ for one in all_refusals().values()}


def test_committed_document_is_at_most_550_kb() -> None:
    assert (Path(__file__).parents[1] / "openapi.json").stat().st_size <= MAX_DOCUMENT_BYTES


def test_every_tag_is_described_and_used() -> None:
    tags = document()["tags"]

    assert {tag["name"] for tag in tags} == {operation.tag for operation in operations()}
    assert tags[0]["name"] == "auth"
    assert all(tag["description"].endswith(".") for tag in tags)
    assert "POST /login" in document()["info"]["description"]


def test_get_needs_no_csrf_token() -> None:
    for operation in operations():
        if operation.method == "GET":
            assert "csrfToken" not in str(operation.declared["security"]), operation


def test_limited_and_unavailable_responses_document_retry_after() -> None:
    for operation in operations():
        for status, response in _refusals(operation):
            assert ("Retry-After" in response["headers"]) is (status in ("429", "503")), operation
