/**
 * Live streams: server-sent events by `fetch`, which, unlike `EventSource`, lets an expired access
 * token be refreshed, tells a refusal from an outage, and remembers the last event over both.
 */
import type {
  Confirmation,
  Exchange,
  NotificationGroup,
  RateEvent,
  UnreadCount,
} from "./generated/types.gen.js";
import { ProblemError, UnexpectedAnswer, problemIn } from "./problems.js";

/** What `/notifications/stream` tells, by the type of event. */
export interface NotificationEvents {
  snapshot: UnreadCount;
  notification: UnreadCount & { group: NotificationGroup };
}

/** What `/users/{username}/exchange/stream` tells. */
export interface BoardEvents {
  snapshot: Exchange;
  /** A line has changed, which confirms the whole board; both sides null: it was taken off. */
  rates: RateEvent & { currency: string };
  /** All rates have been confirmed without a change; the event has the id of the last change. */
  confirmed: Confirmation;
}

/**
 * An event; `type` narrows `data`. `reset` comes before `snapshot` if the missed events are not
 * known: load everything again.
 */
export type StreamEvent<Events> =
  | { [Type in keyof Events]: { type: Type; id: string; data: Events[Type] } }[keyof Events]
  | { type: "reset"; id: string; data: unknown };

export interface StreamOptions {
  /** Ends the stream. So does leaving the loop. */
  signal?: AbortSignal;
  /** Resume after this event, as over a reload of the page. */
  lastEventId?: string;
  /** Milliseconds without a sign of life, after which to connect anew; the server's are 15 s. */
  silence?: number;
  /** Milliseconds to wait before a try, by the number of those that failed in a row. */
  delay?: (failures: number) => number;
}

type Connect = (headers: Headers, signal: AbortSignal) => Promise<Response>;

interface RawEvent {
  type: string;
  id: string;
  data: string;
}

const SILENCE = 45_000;
const REMEMBERED = 1000; // events, by which repeated ones are told
const SHORTEST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;
const PASSING = new Set([408, 425, 429]); // refusals that may not be there the next time

/**
 * The events of one stream, each once, over as many connections as it takes. Ends when the session
 * has ended; throws `ProblemError` for what connecting anew would not mend.
 */
export async function* read<Events>(
  connect: Connect,
  options: StreamOptions,
): AsyncGenerator<StreamEvent<Events>, void, undefined> {
  const told = new Told();
  const { signal, silence = SILENCE, delay = jittered } = options;
  let lastEventId = options.lastEventId ?? "";
  for (let failures = 0; !signal?.aborted; failures += 1) {
    if (failures > 0) await pause(delay(failures), signal);
    const connection = new Connection(silence, signal);
    try {
      const response = await connection.open(connect, lastEventId);
      if (response.status === 401 || response.status === 204) return;
      if (!response.ok) {
        if (response.status < 500 && !PASSING.has(response.status)) await refuse(response);
        continue;
      }
      for await (const event of connection.events(response, lastEventId)) {
        failures = 0;
        if (event.type === "reauth") break; // the next connection tells whether it can be mended
        lastEventId = event.type === "reset" ? "" : event.id;
        if (told.includes(event)) continue;
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

/** "Full jitter": everybody's connection ends at once when a server does. */
function jittered(failures: number): number {
  return Math.random() * Math.min(LONGEST_DELAY, SHORTEST_DELAY * 2 ** (failures - 1));
}

/** Resolves when the time is over or the signal is given, whichever is first. */
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

/** Which events were told already: a stream that is resumed repeats its last two seconds. */
class Told {
  readonly #events = new Set<string>();

  /** Whether this one was among them; from now on it is. A snapshot is news each time. */
  includes({ type, id, data }: RawEvent): boolean {
    if (type === "snapshot" || type === "reset" || id === "") return false;
    const event = `${type} ${id} ${data}`; // what merely confirms has the id of what it confirms
    if (this.#events.has(event)) return true;
    this.#events.add(event);
    const [oldest] = this.#events;
    if (this.#events.size > REMEMBERED && oldest !== undefined) this.#events.delete(oldest);
    return false;
  }
}

/** One connection, given up when nothing has been heard for too long. */
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
    this.#hear();
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
      this.#hear();
      yield* parser.parse(value);
    }
  }

  /** Whether an error means that the connection was lost, and is no mistake of somebody's. */
  isLost(error: unknown): boolean {
    return this.#abort.signal.aborted || error instanceof TypeError;
  }

  readonly close = (): void => {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.close);
    this.#abort.abort();
  };

  #hear(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(), this.#silence);
  }
}

/** Reads `text/event-stream` by the rules of the HTML standard, section 9.2.6. */
class Parser {
  #rest = "";
  #type = "";
  #data: string[] = [];
  #id: string; // an event without one has that of the event before

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
