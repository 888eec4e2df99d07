"""Whatever the OpenAPI document allows or forbids, the running application must do so."""

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.hostile.corpus import Operation, document, those
from tests.hostile.server import Server, serving
from tests.support.factories import PASSWORD

pytestmark = pytest.mark.unmeasured  # the same ways again and again: others measure them

Case = schemathesis.Case[Any]
_NAMES = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True)

# `format` says less than what an address is; the pattern of a password not which are too common.
schemathesis.openapi.format("email", st.builds("{}@{}.example".format, _NAMES, _NAMES))


def over_http() -> dict[str, Any]:
    """The document of a server without TLS, whose cookies have no prefix."""
    described = copy.deepcopy(document())
    for scheme in described["components"]["securitySchemes"].values():
        scheme["name"] = scheme["name"].removeprefix("__Host-")
    return described


# Cookies and the CSRF token are those of `session`, not what their schemes let one make up.
config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
schema = schemathesis.openapi.from_dict(over_http(), config=config)
# A stream does not end by itself; tests of its own read it.
ANSWERED = those(lambda operation: not operation.path.endswith("/stream"))


BOUNDED = settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(redis_url, tmp_path_factory.mktemp("schemathesis") / "log") as running:
        for name in ("tan_exchange", "grace"):  # whom the examples name, and who asks
            account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
            httpx.post(f"{running.url}/register", json=account).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture
def session(client: httpx.Client) -> dict[str, str]:
    """The headers of a member who has just logged in: one of the operations logs out."""
    client.cookies.clear()
    credentials = {"identifier": "grace", "password": PASSWORD}
    answer = client.post("/login", json=credentials).raise_for_status()
    cookies = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    return {"Cookie": cookies, "X-CSRF-Token": answer.json()["csrf_token"]}


@pytest.mark.parametrize("operation", ANSWERED, ids=str)
def test_the_application_conforms_to_its_document(
    operation: Operation, server: Server, session: dict[str, str]
) -> None:
    # `schema.parametrize()` makes all cases while tests are collected, and each worker collects.
    described = schema.include(operation_id=str(operation))
    (found,) = get_all_tests(
        schema=described, test_func=_is_kept, settings=BOUNDED, given_kwargs=None
    )
    assert isinstance(found, Ok), found.err()
    _, test = found.ok()
    test(server=server, session=session)


def _is_kept(case: Case, server: Server, session: dict[str, str]) -> None:
    # No schema can say which cursors, links and tags have been handed out; others are refused;
    # nor which keys have been used for another request.
    is_ours_alone = (
        "cursor" in (case.query or {})
        or "token" in (case.path_parameters or {})
        or (isinstance(case.body, dict) and "token" in case.body)
        or {"If-Match", "Idempotency-Key"} & (case.headers or {}).keys()
        # Nor that two numbers stand in an order, or that a time has been.
        or "exchange" in case.path
    )
    # Who needs a session is asked of each operation once, in tests/hostile/test_document.py.
    left_out: list[Any] = [ignored_auth, *([positive_data_acceptance] if is_ours_alone else [])]
    case.call_and_validate(base_url=server.url, headers=session, excluded_checks=left_out)
