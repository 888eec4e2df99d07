/**
 * The session as a browser sees it: its tokens are in cookies that no script can read, so what is
 * kept here is the CSRF token, and whether somebody is signed in.
 */
import { problemIn } from "./problems.js";
import { type Tabs, otherTabs } from "./tabs.js";

export interface SessionOptions {
  baseUrl: string;
  fetch: (request: Request) => Promise<Response>;
  /** Called once when the session ends: logged out, here or in another tab, ended, or expired. */
  onSignedOut: () => void;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
/** These need no session, and so no token of one. */
const TOKENLESS = /^\/(register|login|request-password-reset|reset-password(\/.*)?|verify-email(\/.*)?)$/;
/** The answers of these hold the CSRF token. */
const TOKEN_BEARING = /^\/(login|refresh-token|auth-check|csrf-token)$/;
/** The first, one after a refresh, and one after another tab's refresh that came to nothing. */
const MOST_TRIES = 3;

export class Session {
  readonly #baseUrl: string;
  readonly #fetch: SessionOptions["fetch"];
  readonly #onSignedOut: () => void;
  readonly #tabs: Tabs;
  #csrfToken: string | undefined;
  #isSignedIn: boolean | undefined; // undefined: nobody has asked yet
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<Response | undefined> | undefined;
  #askingForToken: Promise<string | undefined> | undefined;

  constructor({ baseUrl, fetch, onSignedOut }: SessionOptions) {
    this.#baseUrl = baseUrl;
    this.#fetch = fetch;
    this.#onSignedOut = onSignedOut;
    this.#tabs = otherTabs(baseUrl, (news) => {
      if (news === "refreshed") this.#refreshedAt = performance.now();
      if (news === "logged_out" && this.#isSignedIn) this.#end();
      if (news === "logged_in") {
        this.#csrfToken = undefined; // that of a former session
        this.#isSignedIn = true;
      }
    });
  }

  /**
   * Send a request, with the CSRF token where it needs one. Where it is refused for want of a good
   * access token or CSRF token, get one and send it again.
   */
  readonly fetch = async (request: Request): Promise<Response> => {
    for (let tries = 1; ; tries += 1) {
      const since = performance.now();
      const sent = request.clone(); // a body can be sent only once
      const response = await this.#send(sent);
      if (response.status !== 401 && response.status !== 403) return response;
      const code = (await problemIn(response))?.code;
      if (code === "session_expired" && tries < MOST_TRIES) {
        const trouble = await this.#refresh(since);
        if (trouble !== undefined) return trouble.status === 401 ? response : trouble.clone();
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
      const token = this.#csrfToken ?? (await this.#askForToken());
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
      if (path !== "/csrf-token") this.#isSignedIn = true; // that one takes an expired token too
    }
    if (path === "/login") this.#tabs.tell("logged_in");
    if (path === "/logout") {
      this.#tabs.tell("logged_out");
      if (this.#isSignedIn) this.#end();
    }
  }

  /** After a reload nobody remembers the token; undefined where there is no session. */
  #askForToken(): Promise<string | undefined> {
    this.#askingForToken ??= this.#send(this.#request("GET", "/csrf-token"))
      .then(() => this.#csrfToken)
      .finally(() => (this.#askingForToken = undefined));
    return this.#askingForToken;
  }

  /** Another tab may have logged in: then the token we know is that of a former session. */
  async #hasNewToken(sent: Request): Promise<boolean> {
    this.#csrfToken = undefined;
    const token = await this.#askForToken();
    return token !== undefined && token !== sent.headers.get("X-CSRF-Token");
  }

  /**
   * Have the access token renewed, once for all requests and tabs that wait for it. Resolves to
   * the answer that refused it, otherwise to nothing: it is worth trying again.
   */
  #refresh(since: number): Promise<Response | undefined> {
    this.#refreshing ??= this.#tabs
      .inTurn(() => this.#refreshNow(since))
      .finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #refreshNow(since: number): Promise<Response | undefined> {
    if (this.#refreshedAt > since) return; // while we waited for our refusal, or for our turn
    const request = this.#request("POST", "/refresh-token");
    let sent = request.clone();
    let response = await this.#send(sent);
    if (response.status === 403 && (await this.#hasNewToken(sent))) {
      sent = request;
      response = await this.#send(sent);
    }
    if (response.ok) {
      this.#refreshedAt = performance.now();
      this.#tabs.tell("refreshed");
      return undefined;
    }
    if (response.status === 401 && this.#isSignedIn !== false) {
      this.#tabs.tell("logged_out");
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
