import json
import logging
from collections.abc import Iterator

import pytest

from wxc.core import logging as logs
from wxc.core.config import Config


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_an_event_is_logged_as_one_line_with_its_request_id(
    config: Config, capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    logs.configure_logging(config.model_copy(update={"log_format": log_format}))
    token = logs.request_id.set("front-end-0001")

    logging.getLogger("wxc.test").warning("first\r\nsecond")
    logs.request_id.reset(token)

    (line,) = capsys.readouterr().err.splitlines()
    assert "front-end-0001" in line
    if log_format == "json":
        entry = json.loads(line)
        assert (entry["level"], entry["logger"]) == ("WARNING", "wxc.test")
        assert entry["time"].endswith("+00:00")


_LIFECYCLE = ("uvicorn.error", "wxc", "wxc.worker")


def _log_lifecycle_and_health_checks() -> None:
    for name in _LIFECYCLE:
        logging.getLogger(name).info("lifecycle")
    for route in ("/livez", "/healthz"):
        logging.getLogger("wxc.access").info("health check", extra={"route": route})
    logging.getLogger("wxc.problems").warning("%s: %r", "starting", None)


def test_development_hides_starts_stops_and_health_checks(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure_logging(config.model_copy(update={"log_level": "info"}))

    _log_lifecycle_and_health_checks()

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "changed", [{"environment": "production", "log_level": "info"}, {"log_level": "debug"}]
)
def test_production_and_the_debug_level_show_starts_stops_and_health_checks(
    config: Config, capsys: pytest.CaptureFixture[str], changed: dict[str, str]
) -> None:
    logs.configure_logging(config.model_copy(update=changed))

    _log_lifecycle_and_health_checks()

    assert len(capsys.readouterr().err.splitlines()) == len(_LIFECYCLE) + 3


def test_development_shows_other_requests_warnings_and_errors(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure_logging(config.model_copy(update={"log_level": "info"}))

    logging.getLogger("wxc.access").info("request", extra={"route": "/feeds"})
    logging.getLogger("wxc.problems").warning("%s: %r", "unavailable", None)
    logging.getLogger("uvicorn.error").warning("WatchFiles detected changes. Reloading...")
    logging.getLogger("uvicorn.error").error("address already in use")

    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["message"] for line in lines] == [
        "request",
        "unavailable: None",
        "WatchFiles detected changes. Reloading...",
        "address already in use",
    ]
