/**
 * The session in a browser. Scripts cannot read the cookies with its tokens, so this class keeps
 * only the CSRF token and whether the user is signed in.
 */
import { problemIn } from "./problems.js";
import { type Tabs, otherTabs } from "./tabs.js";

export interface SessionOptions {
  baseUrl: string;
  fetch: (request: Request) => Promise<Response>;
  /** Called once when the session ends; see `ClientOptions`. */
  onSignedOut: () => void;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
/** Paths that need no session and therefore no CSRF token. */
const TOKENLESS =
  /^\/(register|login|request-password-reset|reset-password(\/.*)?|verify-email(\/.*)?|cancel-email-change|restore-email)$/;
/** Paths whose responses contain the CSRF token. */
const TOKEN_BEARING = /^\/(login|refresh-token|auth-check|csrf-token)$/;
/** The first try, one after a refresh, and one after a failed refresh of another tab. */
const MAX_TRIES = 3;

export class Session {
  readonly #baseUrl: string;
  readonly #fetch: SessionOptions["fetch"];
  readonly #onSignedOut: () => void;
  readonly #tabs: Tabs;
  #csrfToken: string | undefined;
  #isSignedIn: boolean | undefined; // undefined: not known yet
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<Response | undefined> | undefined;
  #requestingToken: Promise<string | undefined> | undefined;

  constructor({ baseUrl, fetch, onSignedOut }: SessionOptions) {
    this.#baseUrl = baseUrl;
    this.#fetch = fetch;
    this.#onSignedOut = onSignedOut;
    this.#tabs = otherTabs(baseUrl, (news) => {
      if (news === "refreshed") this.#refreshedAt = performance.now();
      if (news === "logged_out" && this.#isSignedIn) this.#end();
      if (news === "logged_in") {
        this.#csrfToken = undefined; // it belongs to the previous session
        this.#isSignedIn = true;
      }
    });
  }

  /**
   * Send a request, with the CSRF token if it needs one. If the access token or the CSRF token is
   * missing or invalid, get a new one and send the request again.
   */
  readonly fetch = async (request: Request): Promise<Response> => {
    for (let tries = 1; ; tries += 1) {
      const since = performance.now();
      const sent = request.clone(); // a body can be read only once
      const response = await this.#send(sent);
      if (response.status !== 401 && response.status !== 403) return response;
      const code = (await problemIn(response))?.code;
      if (code === "session_expired" && tries < MAX_TRIES) {
        const failure = await this.#refresh(since);
        if (failure !== undefined) return failure.status === 401 ? response : failure.clone();
      } else if (code === "csrf_failed" && tries === 1) {
        if (!(await this.#hasNewToken(sent))) return response;
      } else {
        if (code === "not_authenticated" && this.#isSignedIn) this.#end();
        return response;
      }
    }
  };

  async #send(request: Request): Promise<Response> {
    const path = this.#path(request);
    if (!SAFE.has(request.method) && !TOKENLESS.test(path)) {
      const token = this.#csrfToken ?? (await this.#requestToken());
      if (token !== undefined) request.headers.set("X-CSRF-Token", token);
    }
    const response = await this.#fetch(request);
    if (response.ok) await this.#learn(path, response);
    return response;
  }

  #path(request: Request): string {
    return request.url.slice(this.#baseUrl.length).replace(/[?#].*/, "");
  }

  async #learn(path: string, response: Response): Promise<void> {
    if (TOKEN_BEARING.test(path)) {
      const { csrf_token } = (await response.clone().json()) as { csrf_token: string };
      this.#csrfToken = csrf_token;
      if (path !== "/csrf-token") this.#isSignedIn = true; // it accepts expired access tokens too
    }
    if (path === "/login") this.#tabs.send("logged_in");
    if (path === "/logout") {
      this.#tabs.send("logged_out");
      if (this.#isSignedIn) this.#end();
    }
  }

  /** Request the CSRF token, for example after a reload; undefined without a session. */
  #requestToken(): Promise<string | undefined> {
    this.#requestingToken ??= this.#send(this.#request("GET", "/csrf-token"))
      .then(() => this.#csrfToken)
      .finally(() => (this.#requestingToken = undefined));
    return this.#requestingToken;
  }

  /** Another tab may have logged in; then our token belongs to the previous session. */
  async #hasNewToken(sent: Request): Promise<boolean> {
    this.#csrfToken = undefined;
    const token = await this.#requestToken();
    return token !== undefined && token !== sent.headers.get("X-CSRF-Token");
  }

  /**
   * Refresh the session once for all waiting requests and tabs. Resolves to the response if the
   * refresh failed, and to undefined if the request should be tried again.
   */
  #refresh(since: number): Promise<Response | undefined> {
    this.#refreshing ??= this.#tabs
      .runExclusively(() => this.#refreshNow(since))
      .finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #refreshNow(since: number): Promise<Response | undefined> {
    if (this.#refreshedAt > since) return; // another tab has refreshed it in the meantime
    const request = this.#request("POST", "/refresh-token");
    let sent = request.clone();
    let response = await this.#send(sent);
    if (response.status === 403 && (await this.#hasNewToken(sent))) {
      sent = request;
      response = await this.#send(sent);
    }
    if (response.ok) {
      this.#refreshedAt = performance.now();
      this.#tabs.send("refreshed");
      return undefined;
    }
    if (response.status === 401 && this.#isSignedIn !== false) {
      this.#tabs.send("logged_out");
      this.#end();
    }
    return response;
  }

  #request(method: string, path: string): Request {
    return new Request(this.#baseUrl + path, { method, credentials: "include" });
  }

  #end(): void {
    this.#isSignedIn = false;
    this.#csrfToken = undefined;
    this.#onSignedOut();
  }
}
