"""The security schemes of the OpenAPI document, by the names that dependencies use."""

from typing import Any

ACCESS_TOKEN, REFRESH_TOKEN, CSRF_TOKEN = "accessToken", "refreshToken", "csrfToken"

SECURITY_SCHEMES: dict[str, dict[str, Any]] = {
    ACCESS_TOKEN: {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-wxc_access",
        "description": "Identifies the signed-in user for ten minutes. Set by `POST /login` and "
        '`POST /refresh-token`. It is HttpOnly: send it with `credentials: "include"`. Over plain '
        "HTTP, in local development, its name is `wxc_access`.",
    },
    REFRESH_TOKEN: {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-wxc_refresh",
        "description": "Renews the session through `POST /refresh-token`. Expires after 14 days "
        "without a refresh, or 30 days after login. Over plain HTTP its name is `wxc_refresh`.",
    },
    CSRF_TOKEN: {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "Required on POST, PUT and DELETE. Send the `csrf_token` from "
        "`POST /login`, `GET /auth-check` or `GET /csrf-token`; constant during a session.",
    },
}
