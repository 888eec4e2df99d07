"""The introduction of the OpenAPI document; its text is in `guide.toml`."""

import tomllib
from pathlib import Path
from typing import Any

_TEXT = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
TITLE: str = _TEXT["title"]
SUMMARY: str = _TEXT["summary"]
DESCRIPTION: str = _TEXT["description"].strip()
TAGS: list[dict[str, Any]] = _TEXT["tags"]
"""In the order in which a new client needs them."""
