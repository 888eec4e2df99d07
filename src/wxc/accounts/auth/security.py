"""What a session is to OpenAPI: the security schemes, by the names that dependencies use."""

from typing import Any

ACCESS_TOKEN, REFRESH_TOKEN, CSRF_TOKEN = "accessToken", "refreshToken", "csrfToken"

SECURITY_SCHEMES: dict[str, dict[str, Any]] = {
    ACCESS_TOKEN: {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-wxc_access",
        "description": "Who is signed in, for ten minutes at a time. `POST /login` and "
        "`POST /refresh-token` set it; it is HttpOnly, so send it with `credentials: include`. "
        "Over plain http, as on your own machine, it is called `wxc_access`.",
    },
    REFRESH_TOKEN: {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-wxc_refresh",
        "description": "Keeps the session alive, for `POST /refresh-token`: 14 days if it is not "
        "used, 30 in all. Over plain http it is called `wxc_refresh`.",
    },
    CSRF_TOKEN: {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "Shows on POST, PUT and DELETE that it is your page that asks: the "
        "`csrf_token` of `POST /login`, `GET /auth-check` or `GET /csrf-token`, the same for all "
        "of the session's life.",
    },
}
