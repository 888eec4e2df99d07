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
