"""The cookies of sessions and known devices."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from wxc.accounts.auth.cookies import CookieJar, SessionCookies
from wxc.accounts.auth.errors import NotAuthenticated, SessionExpired

JAR = CookieJar(is_secure=True, lifetime=1209600, device_lifetime=31536000)
PLAIN = CookieJar(is_secure=False, lifetime=1209600, device_lifetime=31536000)


def request(*headers: str) -> Request:
    lines = [(b"cookie", header.encode()) for header in headers]
    return Request({"type": "http", "headers": lines})


def attributes(header: str) -> set[str]:
    return {part.strip() for part in header.split(";")[1:]}


def cookies_of(response: Response) -> list[str]:
    return response.headers.getlist("set-cookie")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], SessionCookies(None, None, False)),
        (["__Host-wxc_access=a"], SessionCookies("a", None, False)),
        (["__Host-wxc_refresh=r"], SessionCookies(None, "r", False)),
        (["x=1; __Host-wxc_access=a;__Host-wxc_refresh=r "], SessionCookies("a", "r", False)),
        (["__Host-wxc_access=a", "__Host-wxc_refresh=r"], SessionCookies("a", "r", False)),
        (["wxc_access=a; wxc_refresh=r"], SessionCookies(None, None, False)),
        (["__Host-wxc_access=; __Host-wxc_refresh"], SessionCookies(None, None, False)),
        (["__Host-wxc_access=a=b"], SessionCookies("a=b", None, False)),
        (["__Host-wxc_access=a; __Host-wxc_access=b"], SessionCookies("b", None, True)),
        (["__Host-wxc_access=a", "__Host-wxc_access=a"], SessionCookies("a", None, True)),
    ],
)
def test_session_cookies_are_read_by_exact_name(
    headers: list[str], expected: SessionCookies
) -> None:
    assert JAR.read(request(*headers)) == expected


def test_access_or_refresh_cookie_alone_counts_as_a_session() -> None:
    assert SessionCookies("a", None, False)
    assert SessionCookies(None, "r", False)
    assert not SessionCookies(None, None, False)
    assert not SessionCookies(None, None, True)


def test_cookies_without_tls_have_no_prefix() -> None:
    assert PLAIN.read(request("wxc_access=a; wxc_refresh=r")) == SessionCookies("a", "r", False)
    assert PLAIN.read_device(request("wxc_device=d")) == "d"


@pytest.mark.parametrize(
    ("header", "device"),
    [
        ("__Host-wxc_device=d", "d"),
        ("wxc_device=d", None),
        ("__Host-wxc_access=a", None),
        ("__Host-wxc_device=d; __Host-wxc_device=e", None),
    ],
)
def test_device_cookie_is_read_unless_it_is_duplicate(header: str, device: str | None) -> None:
    assert JAR.read_device(request(header)) == device


def test_secure_sites_set_host_cookies_that_scripts_cannot_read() -> None:
    response = Response()
    JAR.set(response, "a", "r", "d")

    access, refresh, device = cookies_of(response)
    common = {"HttpOnly", "Path=/", "SameSite=lax", "Secure"}
    assert access.startswith("__Host-wxc_access=a;")
    assert refresh.startswith("__Host-wxc_refresh=r;")
    assert device.startswith("__Host-wxc_device=d;")
    assert attributes(access) == attributes(refresh) == common | {"Max-Age=1209600"}
    assert attributes(device) == common | {"Max-Age=31536000"}  # and no Domain


def test_refresh_does_not_set_the_device_cookie() -> None:
    response = Response()
    PLAIN.set(response, "a", "r", None)

    assert [cookie.partition("=")[0] for cookie in cookies_of(response)] == [
        "wxc_access",
        "wxc_refresh",
    ]
    assert not any("Secure" in attributes(cookie) for cookie in cookies_of(response))


@pytest.mark.parametrize("jar", [JAR, PLAIN])
def test_clearing_keeps_the_attributes_of_session_cookies_and_the_device_cookie(
    jar: CookieJar,
) -> None:
    before, after = Response(), Response()
    jar.set(before, "a", "r", None)
    jar.clear(after)

    assert len(cookies_of(after)) == 2
    for old, cleared in zip(cookies_of(before), cookies_of(after), strict=True):
        assert cleared.partition("=")[0] == old.partition("=")[0]
        assert "Max-Age=0" in attributes(cleared)
        kept = {part for part in attributes(old) if not part.startswith("Max-Age")}
        assert kept <= attributes(cleared)


def test_only_the_given_refusals_clear_the_cookies() -> None:
    with pytest.raises(NotAuthenticated) as caught, JAR.clear_on(NotAuthenticated):
        raise NotAuthenticated
    assert [cookie.partition("=")[0] for cookie in caught.value.cookies] == [
        "__Host-wxc_access",
        "__Host-wxc_refresh",
    ]
    with pytest.raises(SessionExpired) as other, JAR.clear_on(NotAuthenticated):
        raise SessionExpired
    assert not other.value.cookies
