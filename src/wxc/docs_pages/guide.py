"""The introduction and the tags of the OpenAPI document, read from `guide.toml`."""

import tomllib
from pathlib import Path
from typing import Any

_TEXT = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
TITLE: str = _TEXT["title"]
SUMMARY: str = _TEXT["summary"]
DESCRIPTION: str = _TEXT["description"].strip()
TAGS: list[dict[str, Any]] = _TEXT["tags"]
