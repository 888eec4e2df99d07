"""Pure ASGI middleware for every request; one class per file.

From the outside in: `RequestContext` (request id, headers, access log), `Cors`, `ErrorHandler`
(exceptions become problems), `CsrfOriginCheck` (first layer of CSRF protection),
`RequestBodyLimit` (size of the request, strict JSON), `ConcurrencyLimit` (deadline, requests in
flight), `StreamLimit` (the same for live streams and exports), `RouteTable` (finds compiled routes;
it is in `http/route_table.py`). `BaseHTTPMiddleware` is banned: it leaks database connections when
a request is cancelled.

Middleware that only inspects a request or a message is a plain function that returns the next
layer's awaitable: a coroutine for each layer would double the cost.
"""
