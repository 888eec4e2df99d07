// Signed-in requests work from this page as from any other: the session is in cookies. Before each
// request the page sees to it that the access token is good, and gives unsafe ones their
// X-CSRF-Token, asked anew each time so that it is never stale.
const SAFE = ["GET", "HEAD", "OPTIONS"];
const WITHOUT_SESSION = ["/openapi.json", "/login", "/register", "/refresh-token"];

async function signedIn(request) {
  request.credentials = "same-origin";
  if (WITHOUT_SESSION.includes(new URL(request.url, location.href).pathname)) return request;
  const token = await csrfToken();
  if (token === null) return request;
  await refreshIfExpired(token);
  if (!SAFE.includes((request.method || "GET").toUpperCase())) {
    request.headers["X-CSRF-Token"] = token;
  }
  return request;
}

async function csrfToken() {
  const answer = await fetch("/csrf-token");
  return answer.ok ? (await answer.json()).csrf_token : null;
}

async function refreshIfExpired(token) {
  const answer = await fetch("/auth-check");
  if (answer.status === 401) {
    await fetch("/refresh-token", { method: "POST", headers: { "X-CSRF-Token": token } });
  }
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
  requestInterceptor: signedIn,
});
