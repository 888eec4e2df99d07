/**
 * Live streams: server-sent events read with `fetch`. Unlike `EventSource`, this can refresh an
 * expired access token, distinguish a refusal from an outage, and resume after the last event.
 */
import type {
  Confirmation,
  Exchange,
  NotificationGroup,
  RateEvent,
  UnreadCount,
} from "./generated/types.gen.js";
import { ProblemError, UnexpectedAnswer, problemIn } from "./problems.js";

/** The events of `/notifications/stream`, by type. */
export interface NotificationEvents {
  snapshot: UnreadCount;
  notification: UnreadCount & { group: NotificationGroup };
}

/** The events of `/users/{username}/exchange/stream`, by type. */
export interface BoardEvents {
  snapshot: Exchange;
  /** A changed rate, which also confirms the whole board. Both prices are null if it was removed. */
  rates: RateEvent & { currency: string };
  /** The owner confirmed all rates without a change; the event has the id of the last change. */
  confirmed: Confirmation;
}

/**
 * An event; `type` narrows `data`. `reset` comes before `snapshot` if missed events cannot be
 * replayed: reload everything.
 */
export type StreamEvent<Events> =
  | { [Type in keyof Events]: { type: Type; id: string; data: Events[Type] } }[keyof Events]
  | { type: "reset"; id: string; data: unknown };

export interface StreamOptions {
  /** Ends the stream when aborted; leaving the loop ends it too. */
  signal?: AbortSignal;
  /** Resume after this event, for example after a reload of the page. */
  lastEventId?: string;
  /** Reconnect after this many milliseconds without data; the server sends some every 15 s. */
  silence?: number;
  /** Milliseconds to wait before reconnecting, by the number of consecutive failures. */
  delay?: (failures: number) => number;
}

type Connect = (headers: Headers, signal: AbortSignal) => Promise<Response>;

interface RawEvent {
  type: string;
  id: string;
  data: string;
}

const SILENCE = 45_000;
const MAX_SEEN_EVENTS = 1000;
const MIN_DELAY = 1_000;
const MAX_DELAY = 30_000;
const TEMPORARY = new Set([408, 425, 429]); // refusals after which a retry can succeed

/**
 * Yield each event of a stream once, over as many connections as necessary. Ends when the session
 * has ended; throws `ProblemError` if reconnecting cannot help.
 */
export async function* read<Events>(
  connect: Connect,
  options: StreamOptions,
): AsyncGenerator<StreamEvent<Events>, void, undefined> {
  const seen = new SeenEvents();
  const { signal, silence = SILENCE, delay = jittered } = options;
  let lastEventId = options.lastEventId ?? "";
  for (let failures = 0; !signal?.aborted; failures += 1) {
    if (failures > 0) await pause(delay(failures), signal);
    const connection = new Connection(silence, signal);
    try {
      const response = await connection.open(connect, lastEventId);
      if (response.status === 401 || response.status === 204) return;
      if (!response.ok) {
        if (response.status < 500 && !TEMPORARY.has(response.status)) await refuse(response);
        continue;
      }
      for await (const event of connection.events(response, lastEventId)) {
        failures = 0;
        if (event.type === "reauth") break; // the next connection refreshes the session or ends
        lastEventId = event.type === "reset" ? "" : event.id;
        if (seen.check(event)) continue;
        yield { ...event, data: JSON.parse(event.data) } as StreamEvent<Events>;
      }
    } catch (error) {
      if (!connection.isLost(error)) throw error;
    } finally {
      connection.close();
    }
  }
}

async function refuse(response: Response): Promise<never> {
  const problem = await problemIn(response);
  throw problem ? new ProblemError(problem) : new UnexpectedAnswer(response);
}

/** "Full jitter": a server that shuts down ends all of its connections at the same moment. */
function jittered(failures: number): number {
  return Math.random() * Math.min(MAX_DELAY, MIN_DELAY * 2 ** (failures - 1));
}

/** Resolves after the time or when the signal is aborted, whichever comes first. */
function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    }
  });
}

/** The latest events: a resumed stream repeats its last two seconds. */
class SeenEvents {
  readonly #events = new Set<string>();

  /** Whether the event was seen before; adds it. Every snapshot and reset counts as new. */
  check({ type, id, data }: RawEvent): boolean {
    if (type === "snapshot" || type === "reset" || id === "") return false;
    const event = `${type} ${id} ${data}`; // a confirmation has the id of the change before it
    if (this.#events.has(event)) return true;
    this.#events.add(event);
    const [oldest] = this.#events;
    if (this.#events.size > MAX_SEEN_EVENTS && oldest !== undefined) this.#events.delete(oldest);
    return false;
  }
}

/** One connection, closed if it receives no data for too long. */
class Connection {
  readonly #abort = new AbortController();
  readonly #silence: number;
  readonly #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(silence: number, signal: AbortSignal | undefined) {
    this.#silence = silence;
    this.#signal = signal;
    signal?.addEventListener("abort", this.close);
  }

  async open(connect: Connect, lastEventId: string): Promise<Response> {
    this.#restartTimer();
    const headers = new Headers({ Accept: "text/event-stream" });
    if (lastEventId !== "") headers.set("Last-Event-ID", lastEventId);
    return await connect(headers, this.#abort.signal);
  }

  async *events(response: Response, lastEventId: string): AsyncGenerator<RawEvent> {
    if (response.body === null) return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    this.#abort.signal.addEventListener("abort", () => reader.cancel().catch(() => undefined));
    const parser = new Parser(lastEventId);
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#restartTimer();
      yield* parser.parse(value);
    }
  }

  /** Whether an error means a lost connection, and not a bug. */
  isLost(error: unknown): boolean {
    return this.#abort.signal.aborted || error instanceof TypeError;
  }

  readonly close = (): void => {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.close);
    this.#abort.abort();
  };

  #restartTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(), this.#silence);
  }
}

/** Parses `text/event-stream` (HTML standard, section 9.2.6). */
class Parser {
  #rest = "";
  #type = "";
  #data: string[] = [];
  #id: string; // an event without an id has the id of the previous one

  constructor(lastEventId: string) {
    this.#id = lastEventId;
  }

  *parse(text: string): Generator<RawEvent, void, undefined> {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        this.#read(line);
        continue;
      }
      if (this.#data.length > 0) {
        yield { type: this.#type || "message", id: this.#id, data: this.#data.join("\n") };
      }
      this.#type = "";
      this.#data = [];
    }
  }

  #read(line: string): void {
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") this.#type = value ?? "";
    if (field === "data") this.#data.push(value ?? "");
    if (field === "id" && !value?.includes("\0")) this.#id = value ?? "";
  }
}
