// The session is in cookies, so requests from this page can be signed in. Before each request the
// page refreshes an expired access token, and adds the X-CSRF-Token to unsafe requests. It fetches
// the token each time, so that it is never stale.
const SAFE = ["GET", "HEAD", "OPTIONS"];
const WITHOUT_SESSION = ["/openapi.json", "/login", "/register", "/refresh-token"];
const CHANGING_SESSION = ["/login", "/logout", "/refresh-token", "/settings", "/settings/username"];

async function addCredentials(request) {
  request.credentials = "same-origin";
  if (WITHOUT_SESSION.includes(pathOf(request.url))) return request;
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

function pathOf(url) {
  return new URL(url, location.href).pathname;
}

// The form above Swagger UI shows the current user, wherever they logged in.
const logIn = document.getElementById("log-in");
const logOut = document.getElementById("log-out");
const refused = logIn.querySelector(".refused");

async function showSession() {
  const token = await csrfToken();
  if (token !== null) await refreshIfExpired(token);
  const answer = token === null ? null : await fetch("/auth-check");
  const isSignedIn = answer !== null && answer.ok;
  if (isSignedIn) logOut.querySelector("strong").textContent = (await answer.json()).user.username;
  logIn.hidden = isSignedIn;
  logOut.hidden = !isSignedIn;
}

async function submit(form, send) {
  const button = form.querySelector("button:not([type])");
  button.disabled = true;
  refused.hidden = true;
  try {
    const answer = await send();
    if (!answer.ok) showRefusal((await answer.json()).detail);
    await showSession();
  } catch {
    showRefusal("The service cannot be reached. Please try again.");
  } finally {
    button.disabled = false;
  }
}

function showRefusal(sentence) {
  refused.textContent = sentence;
  refused.hidden = false;
}

logIn.addEventListener("submit", (event) => {
  event.preventDefault();
  const { identifier, password } = logIn.elements;
  submit(logIn, async () => {
    const answer = await fetch("/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ identifier: identifier.value, password: password.value }),
    });
    if (answer.ok) password.value = "";
    return answer;
  });
});

logOut.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(logOut, async () => {
    const token = await csrfToken();
    return fetch("/logout", { method: "POST", headers: token ? { "X-CSRF-Token": token } : {} });
  });
});

for (const demo of logIn.querySelectorAll("[data-identifier]")) {
  demo.addEventListener("click", () => {
    logIn.elements.identifier.value = demo.dataset.identifier;
    logIn.elements.password.value = demo.dataset.password;
    logIn.requestSubmit();
  });
}

// Swagger UI's dark colours are enabled by a class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const setColours = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", setColours);
setColours();

// Swagger UI's own form for credentials cannot set HttpOnly cookies, so it is hidden; the form above
// replaces it. Operations that require a session are marked, and error codes link to their pages.
function SessionPlugin({ React }) {
  const needsSession = (security) =>
    security && security.size > 0 && !security.some((scheme) => scheme.isEmpty());
  return {
    components: { authorizeBtn: () => null, authorizeOperationBtn: () => null },
    wrapComponents: {
      OperationSummary: (Original) => (props) =>
        React.createElement(
          "div",
          { className: needsSession(props.operationProps.get("security")) ? "needs-session" : "" },
          React.createElement(Original, props),
        ),
      response: (Original) => (props) =>
        React.createElement(Original, { ...props, response: withErrorLinks(props.response) }),
    },
  };
}

function withErrorLinks(response) {
  return response.update("description", (text) =>
    text?.replace(/^\* `(\w+)`/gm, "* [`$1`](/docs/errors/$1)"),
  );
}

showSession();
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  plugins: [SessionPlugin],
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  syntaxHighlight: { theme: dark.matches ? "agate" : "idea" },
  requestInterceptor: addCredentials,
  responseInterceptor: (answer) => {
    if (CHANGING_SESSION.includes(pathOf(answer.url))) showSession();
    return answer;
  },
});
