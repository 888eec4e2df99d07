import logging
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from opentelemetry import trace
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from wxc.core.config import Config

request_id: ContextVar[str] = ContextVar("request_id", default="-")
"""The id of the request that this task serves; `-` outside a request."""


@dataclass(slots=True)
class RequestLogFields:
    """Fields of a request's log line that inner layers set."""

    balancer_trace: str | None = None
    """The load balancer's id for the request."""
    user_id: UUID | None = None
    statements: int = 0


request_fields: ContextVar[RequestLogFields | None] = ContextVar("fields", default=None)
"""The log fields of the request that this task serves; None outside a request."""


def log_user(user_id: UUID) -> None:
    if (fields := request_fields.get()) is not None:
        fields.user_id = user_id


def count_statement() -> None:
    if (fields := request_fields.get()) is not None:
        fields.statements += 1


_TEXT_FORMAT = "%(asctime)s %(levelname)-7s %(name)s [%(request_id)s] %(message)s"


class _RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            record.trace_id = f"{span.trace_id:032x}"
        return True


class _DevelopmentFilter(logging.Filter):
    """Omits records of start, shutdown and health checks; LOG_LEVEL=debug shows them."""

    _LIFECYCLE_LOGGERS = frozenset({"uvicorn.error", "wxc", "wxc.worker"})
    _HEALTH_ROUTES = frozenset({"/livez", "/healthz"})

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO:
            # A starting server refuses health checks, and refusals are logged as warnings.
            is_refusal = record.name == "wxc.problems"
            return not (is_refusal and record.getMessage().startswith("starting:"))
        is_health_check = (
            record.name == "wxc.access" and getattr(record, "route", None) in self._HEALTH_ROUTES
        )
        return not is_health_check and record.name not in self._LIFECYCLE_LOGGERS


class _OneLineFormatter(logging.Formatter):
    """Escapes line breaks in messages, which could otherwise forge log lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


def json_formatter() -> logging.Formatter:
    """One JSON object per line, with the extra fields of the record."""
    return JsonFormatter(
        "%(levelname)s %(name)s %(message)s %(request_id)s",
        rename_fields={"levelname": "level", "name": "logger"},
        timestamp="time",
        reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # added by uvicorn, for terminals
    )


def configure_logging(config: Config) -> None:
    """Send every log record to standard error in the configured format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_RequestIdFilter())
    if config.environment == "development" and config.log_level == "info":
        handler.addFilter(_DevelopmentFilter())
    handler.setFormatter(
        _OneLineFormatter(_TEXT_FORMAT) if config.log_format == "text" else json_formatter()
    )
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler], force=True)
    for name in ("watchfiles", "alembic.runtime.plugins"):  # too verbose
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):  # uvicorn installs its own handlers
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
