// Signed-in requests work from this page as from any other: the session is in cookies, and every
// unsafe request gets its X-CSRF-Token here, asked anew each time so that it is never stale.
const SAFE = ["GET", "HEAD", "OPTIONS"];

async function withCsrfToken(request) {
  request.credentials = "same-origin";
  if (SAFE.includes((request.method || "GET").toUpperCase())) return request;
  const answer = await fetch("/csrf-token", { credentials: "same-origin" });
  if (answer.ok) request.headers["X-CSRF-Token"] = (await answer.json()).csrf_token;
  return request;
}

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  syntaxHighlight: { theme: "idea" },
  requestInterceptor: withCsrfToken,
});
