"""What holds for every request and every response, as pure ASGI; one class per file.

From the outside in: `RequestContext` (request id, headers, log line), `Cors`, `ErrorHandler` (any
exception becomes a problem), `CsrfOriginCheck` (CSRF, first layer), `RequestBodyLimit` (JSON or
nothing), `ConcurrencyLimit` (deadline, requests in flight), `StreamLimit` (the same for live
streams and exports). `BaseHTTPMiddleware` is banned: it leaks database connections when a request
is cancelled.

A middleware that only inspects a request or a message is a plain function that returns the
awaitable of the next one: a coroutine for each of these layers would double their cost.
"""
