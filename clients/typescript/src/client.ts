/** The client: every operation of the API, with automatic session handling. */
import { createClient as createRequests } from "./generated/client/index.js";
import { Api } from "./generated/sdk.gen.js";
import { ProblemError, UnexpectedAnswer, isProblem } from "./problems.js";
import { Session } from "./session.js";
import { type NotificationEvents, type StreamEvent, type StreamOptions, read } from "./streams.js";

export interface ClientOptions {
  /** The base URL of the API, for example `https://api.example.com`. */
  baseUrl: string;
  /**
   * Called once when the session ends: by a log-out here or in another tab, because it was ended
   * elsewhere, or because the server refused to refresh it.
   */
  onSignedOut?: () => void;
  /** Replaces the global `fetch`; outside a browser it must keep cookies. */
  fetch?: (request: Request) => Promise<Response>;
}

/** Call `client.{tag}.{operation}(…)`: `client.posts.writePost({ body: { body: "Hello!" } })`. */
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
      // Throw everything that is not a problem of the API, so that `error` has its declared type.
      throw response === undefined ? error : new UnexpectedAnswer(response);
    });
    super({ client: requests });
    this.#baseUrl = base;
    this.#session = session;
  }

  /**
   * Read a live stream, reconnecting after lost connections and expired access tokens. Yields each
   * event once. Ends when the loop is left, `signal` is aborted, or the session has ended.
   *
   *     for await (const event of client.stream("/notifications/stream")) {
   *       if (event.type === "notification") show(event.data.group);
   *     }
   *
   * For another stream, pass the type of its events: `client.stream<BoardEvents>(path)`.
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

/** Looks up `fetch` on each call, because a page may replace it later. */
function globalFetch(request: Request): Promise<Response> {
  return globalThis.fetch(request);
}
