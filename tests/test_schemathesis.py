"""The running application conforms to its OpenAPI document."""

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

from tests.hostile.corpus import Operation, document, operations_where
from tests.hostile.server import Server, serving
from tests.support.factories import PASSWORD

pytestmark = pytest.mark.unmeasured  # other tests cover the same code

Case = schemathesis.Case[Any]
_NAMES = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True)

# Only addresses that the application accepts; `format: email` allows more.
schemathesis.openapi.format("email", st.builds("{}@{}.example".format, _NAMES, _NAMES))


def over_http() -> dict[str, Any]:
    """The document for a server without TLS, whose cookies have no `__Host-` prefix."""
    described = copy.deepcopy(document())
    for scheme in described["components"]["securitySchemes"].values():
        scheme["name"] = scheme["name"].removeprefix("__Host-")
    return described


# Send the cookies and the CSRF token of `session`, not generated ones.
config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
schema = schemathesis.openapi.from_dict(over_http(), config=config)
# Streams do not end; other tests read them.
OPERATIONS = operations_where(lambda operation: not operation.path.endswith("/stream"))


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
        for name in ("tan_exchange", "grace"):  # named in examples; the client
            account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
            httpx.post(f"{running.url}/register", json=account).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture
def session(client: httpx.Client) -> dict[str, str]:
    """The headers of a new session for each test, since one of the operations logs out."""
    client.cookies.clear()
    credentials = {"identifier": "grace", "password": PASSWORD}
    answer = client.post("/login", json=credentials).raise_for_status()
    cookies = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    return {"Cookie": cookies, "X-CSRF-Token": answer.json()["csrf_token"]}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_application_conforms_to_its_document(
    operation: Operation, server: Server, session: dict[str, str]
) -> None:
    # `schema.parametrize()` would generate all cases during collection, in every worker.
    described = schema.include(operation_id=str(operation))
    (found,) = get_all_tests(
        schema=described, test_func=_conforms, settings=BOUNDED, given_kwargs=None
    )
    assert isinstance(found, Ok), found.err()
    _, test = found.ok()
    test(server=server, session=session)


def _conforms(case: Case, server: Server, session: dict[str, str]) -> None:
    # Values that no schema can describe: issued cursors, tokens and tags, passwords that are not
    # easily guessed, and unused idempotency keys. Others are refused, although the schema allows
    # them.
    may_be_refused = (
        "cursor" in (case.query or {})
        or "token" in (case.path_parameters or {})
        or (
            isinstance(case.body, dict) and {"token", "password", "new_password"} & case.body.keys()
        )
        or {"If-Match", "Idempotency-Key"} & (case.headers or {}).keys()
        # Nor can a schema require that one number exceeds another, or that a time is in the past.
        or "exchange" in case.path
    )
    # tests/hostile/test_document.py checks which operations require a session.
    excluded: list[Any] = [ignored_auth, *([positive_data_acceptance] if may_be_refused else [])]
    case.call_and_validate(base_url=server.url, headers=session, excluded_checks=excluded)
