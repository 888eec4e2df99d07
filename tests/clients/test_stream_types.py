"""The hand-written part of the TypeScript client knows every event of every stream."""

import re

import pytest
from tests.hostile.corpus import document

from dev_tools import client
from dev_tools.paths import this_checkout

_CLIENT = client.package_folder(this_checkout())
_STREAMS = [
    (path, operations["get"])
    for path, operations in document()["paths"].items()
    if "text/event-stream" in str(operations.get("get", {}).get("responses", {}).get("200"))
]
_CONTROL = {"reset", "reauth"}
"""Events that the client handles for every stream."""


@pytest.mark.parametrize(("path", "operation"), _STREAMS, ids=[path for path, _ in _STREAMS])
def test_every_event_is_documented_and_typed(path: str, operation: dict[str, object]) -> None:
    content = operation["responses"]["200"]["content"]  # type: ignore[index]
    events = {
        item["properties"]["event"]["const"]
        for item in content["text/event-stream"]["itemSchema"]["oneOf"]
    }
    source = (_CLIENT / "src/streams.ts").read_text()
    comment = source.index(f"/** The events of `{path}`")
    interface = source[comment : source.index("\n}\n", comment)]
    readme = (_CLIENT / "README.md").read_text()

    assert set(re.findall(r"^  (\w+):", interface, re.MULTILINE)) == events - _CONTROL
    for event in events:
        assert f"`{event}`" in str(operation["description"])
    for event in events - {"reauth"}:
        assert f"`{event}`" in readme or f'"{event}"' in readme


def test_streams_are_found() -> None:
    paths = {path for path, _ in _STREAMS}

    assert paths == {"/notifications/stream", "/users/{username}/exchange/stream"}
