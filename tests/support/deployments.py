"""The files that deploy the service, as data."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


class _Template(yaml.SafeLoader):
    """Loads a CloudFormation template; its functions become their arguments."""


_Template.add_multi_constructor(
    "!", lambda loader, _, node: getattr(loader, f"construct_{node.id}")(node)
)


def compose_services() -> dict[str, dict[str, Any]]:
    """The services of compose.yaml, by name."""
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text())["services"])


def aws_resources() -> dict[str, dict[str, Any]]:
    """The resources of the CloudFormation template, by name."""
    text = (ROOT / "deploy" / "aws" / "wxc.yaml").read_text()
    return dict(yaml.load(text, _Template)["Resources"])  # noqa: S506 - a SafeLoader
