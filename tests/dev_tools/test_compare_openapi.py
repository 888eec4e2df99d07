import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev_tools.compare_openapi import differences, main, refusals

Document = dict[str, Any]
Change = Callable[[Document], None]


def problem(status: int, *codes: str) -> Document:
    fields = {"status": {"const": status}, "code": {"enum": list(codes)}}
    schema = {"allOf": [{"type": "object"}, {"properties": fields}]}
    return {"description": "No.", "content": {"application/problem+json": {"schema": schema}}}


OLD: Document = {
    "paths": {
        "/posts": {
            "post": {
                "operationId": "posts_write_post",
                "summary": "Write a post",
                "security": [{"accessToken": []}],
                "parameters": [{"in": "query", "name": "draft", "schema": {"type": "boolean"}}],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {
                    "201": {
                        "description": "A post.",
                        "headers": {"ETag": {}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Post"}}
                        },
                    },
                    "401": problem(401, "not_authenticated", "session_expired"),
                    "413": problem(413, "body_too_large"),
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Post": {
                "type": "object",
                "required": ["title", "replies"],
                "properties": {
                    "title": {"type": "string", "description": "The subject."},
                    "replies": {"type": "array", "items": {"$ref": "#/components/schemas/Post"}},
                },
            }
        }
    },
}


def operation(document: Document) -> Document:
    found: Document = document["paths"]["/posts"]["post"]
    return found


def with_components() -> Document:
    """The same contract with other names, order and texts, and refusals in `components`."""
    document = copy.deepcopy(OLD)
    schemas = document["components"]["schemas"]
    schemas["Article"] = json.loads(json.dumps(schemas.pop("Post")).replace("/Post", "/Article"))
    schemas["Article"]["required"].reverse()
    for name, status, code in (
        ("NotAuthenticated", 401, "not_authenticated"),
        ("SessionExpired", 401, "session_expired"),
    ):
        fields = {"status": {"const": status}, "code": {"const": code}}
        schemas[name] = {"allOf": [{"type": "object"}, {"properties": fields}]}
    codes = {"enum": ["body_too_large", "internal_error"]}
    schemas["TransportProblem"] = {"properties": {"code": codes}}

    def response(*names: str) -> Document:
        choices = [{"$ref": f"#/components/schemas/{name}"} for name in names]
        return {"content": {"application/problem+json": {"schema": {"oneOf": choices}}}}

    document["components"]["responses"] = {
        "Unauthenticated": response("SessionExpired", "NotAuthenticated"),
        "TransportProblem": response("TransportProblem"),
    }
    changed = operation(document)
    changed["summary"] = "Publish a post"
    answer = changed["responses"].pop("201")
    answer["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/Article"}
    changed["responses"] = {
        "default": {"$ref": "#/components/responses/TransportProblem"},
        "401": {"$ref": "#/components/responses/Unauthenticated"},
        "201": answer,
    }
    return document


def test_references_schema_names_order_and_texts_are_ignored() -> None:
    assert list(differences(OLD, with_components())) == []
    assert list(differences(with_components(), with_components())) == []


def test_refusals_are_found_with_their_status_behind_references() -> None:
    document = with_components()

    assert refusals(document, operation(document)) == {
        ("401", "not_authenticated"),
        ("401", "session_expired"),
        ("default", "body_too_large"),
        ("default", "internal_error"),
    }


def rename_field(document: Document) -> None:
    fields = document["components"]["schemas"]["Article"]["properties"]
    fields["heading"] = fields.pop("title")


def forget_code(document: Document) -> None:
    choices = document["components"]["responses"]["Unauthenticated"]["content"]
    choices["application/problem+json"]["schema"]["oneOf"].pop()


def forget_transport(document: Document) -> None:
    del operation(document)["responses"]["default"]


def forget_transport_code(document: Document) -> None:
    document["components"]["schemas"]["TransportProblem"]["properties"]["code"]["enum"].pop(0)


def require_parameter(document: Document) -> None:
    operation(document)["parameters"][0]["required"] = True


def drop_body(document: Document) -> None:
    del operation(document)["requestBody"]


def drop_header(document: Document) -> None:
    operation(document)["responses"]["201"]["headers"].clear()


def open_to_all(document: Document) -> None:
    operation(document)["security"].append({})


def rename_function(document: Document) -> None:
    operation(document)["operationId"] = "posts_publish"


def add_operation(document: Document) -> None:
    document["paths"]["/posts"]["get"] = operation(document)


def move_operation(document: Document) -> None:
    document["paths"]["/articles"] = document["paths"].pop("/posts")


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (rename_field, ["POST /posts: answer 201"]),
        (forget_code, ["POST /posts: refusals: lost [('401', 'not_authenticated')], gained []"]),
        (forget_transport, ["POST /posts: transport codes: lost ['body_too_large']"]),
        (forget_transport_code, ["POST /posts: refusals: lost [('413', 'body_too_large')]"]),
        (require_parameter, ["POST /posts: parameter query.draft"]),
        (drop_body, ["POST /posts: body"]),
        (drop_header, ["POST /posts: headers of 201"]),
        (open_to_all, ["POST /posts: security"]),
        (rename_function, ["POST /posts: operationId"]),
        (add_operation, ["GET /posts: added"]),
        (move_operation, ["POST /articles: added", "POST /posts: removed"]),
    ],
)
def test_every_change_visible_to_a_client_is_shown(change: Change, shown: list[str]) -> None:
    changed = with_components()
    change(changed)

    found = list(differences(OLD, changed))

    assert len(found) == len(shown)
    for line, beginning in zip(found, shown, strict=True):
        assert line.startswith(beginning)


def test_transport_codes_are_compared_as_a_set_of_the_whole_document() -> None:
    changed = with_components()
    forget_transport_code(changed)

    assert "transport codes: lost ['body_too_large'], gained []" in list(
        differences(with_components(), changed)
    )


@pytest.mark.parametrize(
    ("change", "status", "count"),
    [(None, 0, 0), (drop_body, 1, 1)],
)
def test_the_command_compares_two_files(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: Change | None,
    status: int,
    count: int,
) -> None:
    document = with_components()
    if change is not None:
        change(document)
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(OLD))
    new.write_text(json.dumps(document))
    monkeypatch.setattr("sys.argv", ["compare_openapi", str(old), str(new)])

    assert main() == status
    assert capsys.readouterr().out.splitlines()[-1] == (
        "1 operations before, 1 after; 2 specific refusals before, 2 after; "
        f"2 transport codes; {count} differences"
    )
