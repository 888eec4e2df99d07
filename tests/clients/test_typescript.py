"""The TypeScript client runs its own tests: by itself, against a real server, in a browser."""

import pytest
from tests.clients.conftest import JWT_SECRET_KEY, Run, lacking

from dev_tools import client
from dev_tools.paths import this_checkout

TESTS = client.package_folder(this_checkout()) / "tests"


def compiled(folder: str) -> list[str]:
    """What `tsc` makes of the tests in a folder."""
    names = sorted(path.name for path in (TESTS / folder).glob("*.test.ts"))
    assert names
    return [f"build/{folder}/{name.removesuffix('.ts')}.js" for name in names]


@pytest.fixture(scope="session")
def example(run: Run) -> None:
    """The first example of the README, word for word, type-checked and compiled."""
    run("node", "build/readme/extract.js")
    run("tsc", "--project", "tests/readme")


def test_the_client_by_itself(run: Run) -> None:
    run("node", "--test", *compiled("unit"))


def test_the_client_and_a_server(run: Run, api: int) -> None:
    run("node", "--test", *compiled("server"), WXC_API=f"http://127.0.0.1:{api}")


def test_two_generators_make_types_that_tell_problems_apart(run: Run) -> None:
    run("openapi-typescript", "../../openapi.json", "--output", "build/types/openapi.ts")
    run("tsc", "--project", "tests/types")


@pytest.mark.usefixtures("example")
def test_the_client_in_a_browser_on_other_origins(run: Run, api: int) -> None:
    browser = client.find_browser() or lacking(
        "The client is not tested in a browser. There is neither Chromium nor Chrome."
    )

    run(
        *("node", "--test", *compiled("browser")),
        WXC_API=f"http://127.0.0.1:{api}",
        WXC_CHROMIUM=browser,
        WXC_JWT_SECRET_KEY=JWT_SECRET_KEY,
    )
