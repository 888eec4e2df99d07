import assert from "node:assert/strict";
import { test } from "node:test";
import { type StreamEvent, type StreamOptions } from "@wxc/client";
import { clientOf, refusal } from "./api.js";

interface Events {
  snapshot: number;
  note: string;
}
const OPTIONS: StreamOptions = { delay: () => 1 };

function events(...parts: string[]): Response {
  const body = new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

/** Reads a stream whose connections get these responses in order, and then a 401. */
async function readAll(
  answers: (() => Response | Promise<Response>)[],
  options: StreamOptions = OPTIONS,
): Promise<{ received: StreamEvent<Events>[]; lastEventIds: (string | null)[] }> {
  const lastEventIds: (string | null)[] = [];
  const { wxc } = clientOf((request) => {
    lastEventIds.push(request.headers.get("Last-Event-ID"));
    return answers.shift()?.() ?? refusal(401, "not_authenticated");
  });
  const received: StreamEvent<Events>[] = [];
  for await (const event of wxc.stream<Events>("/stream", options)) received.push(event);
  return { received, lastEventIds };
}

test("events are parsed by the standard's rules, wherever chunks are split", async () => {
  const { received } = await readAll([
    () =>
      events(
        ": hello\r\n\r\nevent: snapshot\r",
        "\nid: 1\r\nda",
        "ta: 5\r\n\r\nid:2\nevent:note\ndata: [1,\ndata:2]\nother: 1\nid: not\0this\n\n",
        'id\nevent: note\rdata: "without"\r\revent: note\ndata: "unfinished"\n',
      ),
  ]);

  assert.deepEqual(received, [
    { type: "snapshot", id: "1", data: 5 },
    { type: "note", id: "2", data: [1, 2] },
    { type: "note", id: "", data: "without" },
  ]);
});

test("a lost connection is resumed after the last event, and repeated events are dropped", async () => {
  const { received, lastEventIds } = await readAll([
    () => events('id: 1\nevent: note\ndata: "a"\n\n', 'id: 2\nevent: note\ndata: "b"\n\n'),
    () => Promise.reject(new TypeError("network error")),
    () => refusal(503, "unavailable"),
    () => refusal(429, "too_many_streams"),
    () => events('id: 2\nevent: note\ndata: "b"\n\nid: 3\nevent: note\ndata: "c"\n\n'),
  ]);

  assert.deepEqual(received.map(({ data }) => data), ["a", "b", "c"]);
  assert.deepEqual(lastEventIds, [null, "2", "2", "2", "2", "3"]);
});

test("an event with the id of a previous event but other data is yielded", async () => {
  const note = (data: string): string => `id: 1\nevent: note\ndata: "${data}"\n\n`;

  const { received } = await readAll([
    () => events(note("changed"), note("confirmed")),
    () => events(note("confirmed"), note("confirmed again")),
  ]);

  assert.deepEqual(received.map(({ data }) => data), ["changed", "confirmed", "confirmed again"]);
});

test("a stream resumes after lastEventId, and yields reset if that is not possible", async () => {
  const { received, lastEventIds } = await readAll(
    [() => events("event: reset\ndata: {}\n\n", "event: snapshot\nid: 8\ndata: 1\n\n")],
    { ...OPTIONS, lastEventId: "7" },
  );

  assert.deepEqual(received.map(({ type }) => type), ["reset", "snapshot"]);
  assert.deepEqual(lastEventIds, ["7", "8"]);
});

test("events after reauth are ignored, and an ended session ends the stream", async () => {
  const { received, lastEventIds } = await readAll([
    () =>
      events(
        'id: 1\nevent: note\ndata: "a"\n\nevent: reauth\ndata: {}\n\n',
        'id: 2\nevent: note\ndata: "b"\n\n',
      ),
  ]);

  assert.deepEqual(received.map(({ data }) => data), ["a"]);
  assert.deepEqual(lastEventIds, [null, "1"]);
});

test("a silent connection counts as lost", async () => {
  const { received } = await readAll(
    [
      () => new Response(new ReadableStream(), { headers: { "Content-Type": "text/event-stream" } }),
      () => events('id: 1\nevent: note\ndata: "a"\n\n'),
    ],
    { ...OPTIONS, silence: 20 },
  );

  assert.deepEqual(received.map(({ data }) => data), ["a"]);
});

test("permanent refusals and invalid data are thrown", async () => {
  await assert.rejects(readAll([() => refusal(404, "exchange_not_found")]), {
    name: "ProblemError",
    code: "exchange_not_found",
  });
  await assert.rejects(readAll([() => events("event: note\ndata: {\n\n")]), SyntaxError);
});

test("the signal ends a waiting stream, and leaving the loop closes the connection", async () => {
  const controller = new AbortController();
  const waiting = readAll([() => refusal(503, "unavailable")], {
    delay: () => 60_000,
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(), 10);
  assert.deepEqual((await waiting).received, []);

  let connection: AbortSignal | undefined;
  const { wxc } = clientOf((request) => {
    connection = request.signal;
    return events('id: 1\nevent: note\ndata: "a"\n\n', "event: note\n");
  });
  for await (const event of wxc.stream<Events>("/stream")) if (event.type === "note") break;
  assert.equal(connection?.aborted, true);
});
