from starlette.responses import Response

from wxc.accounts.auth.cookies import CookieJar


def test_secure_sites_set_host_cookies_that_scripts_cannot_read() -> None:
    jar = CookieJar(is_secure=True, lifetime=60, device_lifetime=90)
    response = Response()

    jar.set(response, "a", "b", "c")
    jar.clear(response)

    cookies = response.headers.getlist("set-cookie")
    names = [cookie.partition("=")[0] for cookie in cookies]
    assert names[:3] == ["__Host-wxc_access", "__Host-wxc_refresh", "__Host-wxc_device"]
    assert names[3:] == names[:2]
    for cookie in cookies:
        attributes = {part.strip() for part in cookie.split(";")[1:]}
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= attributes
        assert not [part for part in attributes if part.startswith("Domain")]
