"""Properties of Dockerfile and compose.yaml that can be checked without a container engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from wxc.core.config import Config

ROOT = Path(__file__).parents[1]
OWN = ("api", "worker", "migrate", "secrets")
STAGES = ("packages", "wxc", "db", "")


def stages() -> dict[str, str]:
    """The instructions of each stage of the Dockerfile, lines joined and comments removed."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    parts = re.split(r"^FROM \S+(?: AS (\w+))?\n", text.replace("\\\n", " "), flags=re.MULTILINE)
    return dict(zip((name or "" for name in parts[1::2]), parts[2::2], strict=True))


def instructions(stage: str, word: str) -> list[str]:
    return re.findall(rf"^{word} (.*)$", stages()[stage], re.MULTILINE)


def copied() -> set[str]:
    """The paths that the images copy from the build context."""
    return {
        word.replace("${REQUIREMENTS}", "requirements.lock").removeprefix("./") or "."
        for name in STAGES
        for line in instructions(name, "(?:COPY|ADD)")
        if "--from" not in line
        for word in line.split()[:-1]
        if "://" not in word and not word.startswith("--")
    }


def is_copied(path: str) -> bool:
    return any(matches(source, path) for source in copied())


def in_build_context(path: str) -> bool:
    """Whether .dockerignore keeps the path; the last matching pattern decides."""
    is_kept = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if pattern and not pattern.startswith("#") and matches(pattern, path):
            is_kept = line.startswith("!")
    return is_kept


def matches(pattern: str, path: str) -> bool:
    """Whether Docker's pattern matches the path or one of its folders."""
    if pattern in {".", "**"}:
        return True
    parts = re.split(r"(\*\*/|\*)", pattern.strip("/"))
    wildcards = {"**/": "(?:.*/)?", "*": "[^/]*"}
    expression = "".join(wildcards.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(f"{expression}(?:/.*)?", path) is not None


def files_in(folder: str) -> list[str]:
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return [str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts]


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


class TestDockerfile:
    def test_every_image_is_pinned(self) -> None:
        text = (ROOT / "Dockerfile").read_text()

        assert re.search(r"^ARG PYTHON=3\.\d+\.\d+-alpine3\.\d+$", text, re.MULTILINE)
        assert re.search(r"^ARG POSTGRES=\d+-\w+$", text, re.MULTILINE)
        assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {
            "python:${PYTHON}",
            "postgres:${POSTGRES}",
            "wxc",
        }
        assert tuple(stages()) == STAGES

    def test_image_runs_as_an_unprivileged_user_without_a_shell(self) -> None:
        assert instructions("wxc", "USER") == ["10001:10001"]
        assert instructions("wxc", "ENTRYPOINT") == ['["wxc"]']
        assert instructions("wxc", "CMD") == ['["serve"]']
        assert instructions("wxc", "STOPSIGNAL") == ["SIGTERM"]
        assert instructions("wxc", "RUN") == []
        assert "http://127.0.0.1:8000/livez" in instructions("wxc", "HEALTHCHECK")[0]
        assert "org.opencontainers.image.revision" in instructions("wxc", "LABEL")[0]

    def test_only_locked_wheels_are_installed(self) -> None:
        *_, uv, _, packages, own = instructions("packages", "RUN")

        assert "--only-binary=:all:" in uv
        assert "--require-hashes" in packages
        assert "--only-binary=:all:" in packages
        assert "--no-deps" in own
        assert re.search(r"uv==(\S+?)\"", uv)[1] == _uv_of_dev()  # type: ignore[index]

    def test_copied_files_are_not_ignored(self) -> None:
        kept = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

        assert copied() <= set(kept)
        assert all((ROOT / one).exists() for one in kept)
        assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"

    def test_the_build_context_has_no_development_tools(self) -> None:
        package, tools = files_in("src/wxc"), files_in("dev_tools")

        assert package
        assert tools
        assert [path for path in package if not in_build_context(path)] == []
        assert [path for path in (*tools, *files_in("tests")) if in_build_context(path)] == []

    def test_no_instruction_copies_development_tools(self) -> None:
        assert [path for path in files_in("src/wxc") if not is_copied(path)] == []
        assert [path for path in files_in("dev_tools") if is_copied(path)] == []

    def test_environment_of_the_image_names_existing_settings(self) -> None:
        (line,) = instructions("wxc", "ENV")
        names = set(re.findall(r"(\w+)=", line))

        known = {name.upper() for name in Config.model_fields}
        assert names - known == {"PATH", "PYTHONDONTWRITEBYTECODE", "PORT", "REVISION"}


def _uv_of_dev() -> str:
    found = re.search(r"^UV_VERSION=(\S+)", (ROOT / "dev").read_text(), re.MULTILINE)
    assert found
    return found[1]


class TestCompose:
    def test_only_the_api_publishes_a_port(self) -> None:
        ports = {
            name: one["ports"] for name, one in compose()["services"].items() if "ports" in one
        }

        assert ports == {"api": ["${BIND_ADDRESS:-127.0.0.1}:${PORT:-8000}:8000"]}

    @pytest.mark.parametrize("name", compose()["services"])
    def test_every_service_has_resource_limits_and_a_pinned_image(self, name: str) -> None:
        service = compose()["services"][name]

        assert {"mem_limit", "cpus", "restart", "logging"} <= service.keys()
        assert "image" in service
        assert "latest" not in service["image"]
        assert "build" in service or ":" in service["image"] or name in OWN

    @pytest.mark.parametrize("name", OWN)
    def test_own_services_are_read_only_and_have_no_capabilities(self, name: str) -> None:
        service = compose()["services"][name]

        assert (service["read_only"], service["tmpfs"]) == (True, ["/tmp"])  # noqa: S108
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        config = Config.model_fields
        drain = config["shutdown_delay"].default + config["shutdown_drain"].default
        assert int(service["stop_grace_period"].rstrip("s")) >= drain + 10

    def test_services_start_after_their_dependencies(self) -> None:
        services = compose()["services"]
        conditions = {
            name: {other: wait["condition"] for other, wait in one.get("depends_on", {}).items()}
            for name, one in services.items()
        }

        assert conditions["api"]["migrate"] == "service_completed_successfully"
        assert conditions["worker"]["migrate"] == "service_completed_successfully"
        assert conditions["migrate"] == {"db": "service_healthy"}
        assert conditions["db"] == {"secrets": "service_completed_successfully"}
        checked = {name for name, one in services.items() if "test" in one.get("healthcheck", {})}
        awaited = {
            other
            for waits in conditions.values()
            for other, condition in waits.items()
            if condition == "service_healthy"
        }
        assert awaited - {"db"} <= checked  # db's is in its image
        assert instructions("db", "HEALTHCHECK")
