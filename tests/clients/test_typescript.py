"""Runs the tests of the TypeScript client: by itself, against a real server, in a browser."""

import pytest
from tests.clients.conftest import JWT_SECRET_KEY, Run, skip_or_fail

from dev_tools import client
from dev_tools.paths import this_checkout

TESTS = client.package_folder(this_checkout()) / "tests"


def compiled(folder: str) -> list[str]:
    """The compiled test files of a folder."""
    names = sorted(path.name for path in (TESTS / folder).glob("*.test.ts"))
    assert names
    return [f"build/{folder}/{name.removesuffix('.ts')}.js" for name in names]


@pytest.fixture(scope="session")
def example(run: Run) -> None:
    """Type-check and compile the first example of the README, unchanged."""
    run("node", "build/readme/extract.js")
    run("tsc", "--project", "tests/readme")


def test_unit_tests_of_the_client_pass(run: Run) -> None:
    run("node", "--test", *compiled("unit"))


def test_client_works_with_a_real_server(run: Run, api: int) -> None:
    run("node", "--test", *compiled("server"), WXC_API=f"http://127.0.0.1:{api}")


def test_types_of_two_generators_distinguish_problems_by_code(run: Run) -> None:
    run("openapi-typescript", "../../openapi.json", "--output", "build/types/openapi.ts")
    run("tsc", "--project", "tests/types")


@pytest.mark.usefixtures("example")
def test_client_works_in_a_browser_and_foreign_origins_are_refused(run: Run, api: int) -> None:
    browser = client.find_browser() or skip_or_fail(
        "The client is not tested in a browser. Neither Chromium nor Chrome is installed."
    )

    run(
        *("node", "--test", *compiled("browser")),
        WXC_API=f"http://127.0.0.1:{api}",
        WXC_CHROMIUM=browser,
        WXC_JWT_SECRET_KEY=JWT_SECRET_KEY,
    )
