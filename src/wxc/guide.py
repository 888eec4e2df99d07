"""What the OpenAPI document says before its first route."""

from typing import Any

TITLE = "WXC Social"
SUMMARY = "A social network whose members can run a currency exchange."

DESCRIPTION = """
Open an account (`POST /register`), log in (`POST /login`), follow somebody, write a post, read your
feed. From a terminal or a browser, nothing else is needed: no key, no application to register.

**Sessions** are two HttpOnly cookies, set by `POST /login`: a browser sends them by itself, from
another origin with `credentials: "include"`; in a terminal, use a cookie jar. The access token
holds for ten minutes; 401 `session_expired` means: `POST /refresh-token` once, then the request
again.

**CSRF**: every POST, PUT and DELETE with a session carries `X-CSRF-Token`, the `csrf_token` that
`POST /login` answers with. It is the same for all of the session's life; after a reload,
`GET /auth-check` tells it again. A page on another origin needs that origin in `CORS_ORIGINS`.

**Money and rates** are strings such as `"0.8950"`, in and out: a JSON number is refused, and digits
stay as they were entered. Compute with a decimal library. Times are UTC with six decimals and a
`Z`; ids are UUIDv7, so the larger one is the newer one.

**Lists** are pages: `?limit=` up to 100, and `?cursor=` with the page's `next_cursor` until that is
null. Poll with `prev_cursor` for what is new; what came within two seconds may come twice, so go by
`id`. Cursors are opaque, and belong to one list with its filters.

**Errors** are `application/problem+json` (RFC 9457). Compare the `code`, which never changes; show
the `detail`; quote the `request_id`, which is also in `X-Request-ID`. [All codes](/docs/errors).

**Sending it again** is safe for GET, PUT and DELETE. Where a POST makes something, send an
`Idempotency-Key`, and the second request gets the first one's answer. `If-Match` with an `ETag`
keeps a PUT from overwriting what you have not read; `If-None-Match` saves reading it again.

**Limits** are told before they are met, in `RateLimit-Policy` and `RateLimit`. On 429 and 503 wait
for the seconds in `Retry-After`. Unknown fields and unknown parameters are refused with 422.
"""

# In the order in which a person meets them.
TAGS: list[dict[str, Any]] = [
    {
        "name": "auth",
        "description": "**Begin here.** Open an account, log in, stay signed in, log out; and the "
        "way back in for who has forgotten the password.",
    },
    {
        "name": "settings",
        "description": "Your own account as only you see it: how others see you, password, "
        "address and name, whom you block and mute, taking your data away, leaving.",
    },
    {
        "name": "users",
        "description": "People as others see them, and finding them. Like all that is public, it "
        "can be read without a session; with one, `viewer` says what there is between you.",
    },
    {
        "name": "relationships",
        "description": "Follow, block, mute. Each may be repeated: the answer is how it stands "
        "now. Who blocks is gone for the other, and the other for them; a mute nobody notices.",
    },
    {
        "name": "feed",
        "description": "What a member reads first: their own posts and those of whom they follow, "
        "newest first. Who follows nobody discovers recent posts.",
    },
    {"name": "posts", "description": "What members write: up to 5,000 characters of plain text."},
    {"name": "likes", "description": "Who likes which post. Liking twice is liking once."},
    {
        "name": "comments",
        "description": "What members say to posts and to one another. A thread is a flat list: "
        "each comment is followed by its replies, and `depth` says how far to indent it.",
    },
    {
        "name": "notifications",
        "description": "What others did that concerns you, in groups; as a list, and live as "
        "server-sent events.",
    },
    {
        "name": "exchange",
        "description": "Members' boards of rates: opening one, finding one near a place, what an "
        "amount comes to (exact, rounded once), how a rate has moved, and a board live. All is "
        "written as on the board: **we_buy** is what the changer pays per `unit` of the foreign "
        "currency, **we_sell** what it charges, in its base currency.",
    },
    {"name": "reports", "description": "Telling operators of what they should look at."},
    {"name": "sessions", "description": "Where you are logged in, and logging out there."},
    {
        "name": "operations",
        "description": "Health, for those who run the service and for their load balancer.",
    },
]
