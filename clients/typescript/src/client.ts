/** The client: every operation of the API, with a session that looks after itself. */
import { createClient as createRequests } from "./generated/client/index.js";
import { Api } from "./generated/sdk.gen.js";
import { ProblemError, UnexpectedAnswer, isProblem } from "./problems.js";
import { Session } from "./session.js";
import { type NotificationEvents, type StreamEvent, type StreamOptions, read } from "./streams.js";

export interface ClientOptions {
  /** Where the API is, as `https://api.example.com`. */
  baseUrl: string;
  /**
   * Called once when the session ends: by logging out, here or in another tab, because it was
   * ended elsewhere, or because it could not be refreshed.
   */
  onSignedOut?: () => void;
  /** Another `fetch`; outside a browser, one that keeps cookies. */
  fetch?: (request: Request) => Promise<Response>;
}

/** `client.{tag}.{operation}(…)`, as in `client.posts.writePost({ body: { body: "Hello!" } })`. */
export class Client extends Api {
  readonly #baseUrl: string;
  readonly #session: Session;

  constructor({ baseUrl, onSignedOut = () => undefined, fetch = globalFetch }: ClientOptions) {
    const base = new URL(baseUrl, globalThis.location?.href).href.replace(/\/+$/, "");
    const session = new Session({ baseUrl: base, fetch, onSignedOut });
    const requests = createRequests({
      baseUrl: base,
      credentials: "include",
      fetch: (input, init) => session.fetch(new Request(input, init)),
    });
    requests.interceptors.error.use((error, response, _request, { throwOnError }) => {
      if (isProblem(error)) return throwOnError ? new ProblemError(error) : error;
      // What the API did not say is thrown, so that `error` is what its type says.
      throw response === undefined ? error : new UnexpectedAnswer(response);
    });
    super({ client: requests });
    this.#baseUrl = base;
    this.#session = session;
  }

  /**
   * Follow a live stream over lost connections and expired access tokens, each event once, until
   * the loop is left, `signal` is given, or the session has ended.
   *
   *     for await (const event of client.stream("/notifications/stream")) {
   *       if (event.type === "notification") show(event.data.group);
   *     }
   *
   * Of another stream, say what it tells: `client.stream<BoardEvents>(path)`.
   */
  stream<Events = NotificationEvents>(
    path: string,
    options: StreamOptions = {},
  ): AsyncGenerator<StreamEvent<Events>, void, undefined> {
    const url = this.#baseUrl + path;
    return read<Events>(
      (headers, signal) =>
        this.#session.fetch(
          new Request(url, { headers, signal, credentials: "include", cache: "no-store" }),
        ),
      options,
    );
  }
}

export function createClient(options: ClientOptions): Client {
  return new Client(options);
}

/** Not bound at import: a page may wrap `fetch` later. */
function globalFetch(request: Request): Promise<Response> {
  return globalThis.fetch(request);
}
