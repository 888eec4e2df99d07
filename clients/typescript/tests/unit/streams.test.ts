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

/** Reads the stream whose connections are answered one after the other, and then by a 401. */
async function readAll(
  answers: (() => Response | Promise<Response>)[],
  options: StreamOptions = OPTIONS,
): Promise<{ told: StreamEvent<Events>[]; resumed: (string | null)[] }> {
  const resumed: (string | null)[] = [];
  const { wxc } = clientOf((request) => {
    resumed.push(request.headers.get("Last-Event-ID"));
    return answers.shift()?.() ?? refusal(401, "not_authenticated");
  });
  const told: StreamEvent<Events>[] = [];
  for await (const event of wxc.stream<Events>("/stream", options)) told.push(event);
  return { told, resumed };
}

test("events are read by the rules of the standard, however they are cut", async () => {
  const { told } = await readAll([
    () =>
      events(
        ": hello\r\n\r\nevent: snapshot\r",
        "\nid: 1\r\nda",
        "ta: 5\r\n\r\nid:2\nevent:note\ndata: [1,\ndata:2]\nother: 1\nid: not\0this\n\n",
        'id\nevent: note\rdata: "without"\r\revent: note\ndata: "unfinished"\n',
      ),
  ]);

  assert.deepEqual(told, [
    { type: "snapshot", id: "1", data: 5 },
    { type: "note", id: "2", data: [1, 2] },
    { type: "note", id: "", data: "without" },
  ]);
});

test("a lost connection is resumed after the last event, and repeated events come once", async () => {
  const { told, resumed } = await readAll([
    () => events('id: 1\nevent: note\ndata: "a"\n\n', 'id: 2\nevent: note\ndata: "b"\n\n'),
    () => Promise.reject(new TypeError("network error")),
    () => refusal(503, "unavailable"),
    () => refusal(429, "too_many_streams"),
    () => events('id: 2\nevent: note\ndata: "b"\n\nid: 3\nevent: note\ndata: "c"\n\n'),
  ]);

  assert.deepEqual(told.map(({ data }) => data), ["a", "b", "c"]);
  assert.deepEqual(resumed, [null, "2", "2", "2", "2", "3"]);
});

test("what has the id of an event before it, and says something else, is told as well", async () => {
  const note = (data: string): string => `id: 1\nevent: note\ndata: "${data}"\n\n`;

  const { told } = await readAll([
    () => events(note("changed"), note("confirmed")),
    () => events(note("confirmed"), note("confirmed again")),
  ]);

  assert.deepEqual(told.map(({ data }) => data), ["changed", "confirmed", "confirmed again"]);
});

test("a stream is resumed where the last page left it, and told when that cannot be", async () => {
  const { told, resumed } = await readAll(
    [() => events("event: reset\ndata: {}\n\n", "event: snapshot\nid: 8\ndata: 1\n\n")],
    { ...OPTIONS, lastEventId: "7" },
  );

  assert.deepEqual(told.map(({ type }) => type), ["reset", "snapshot"]);
  assert.deepEqual(resumed, ["7", "8"]);
});

test("after reauth nothing of that connection counts, and a session that has ended ends it", async () => {
  const { told, resumed } = await readAll([
    () =>
      events(
        'id: 1\nevent: note\ndata: "a"\n\nevent: reauth\ndata: {}\n\n',
        'id: 2\nevent: note\ndata: "b"\n\n',
      ),
  ]);

  assert.deepEqual(told.map(({ data }) => data), ["a"]);
  assert.deepEqual(resumed, [null, "1"]);
});

test("silence is a lost connection", async () => {
  const { told } = await readAll(
    [
      () => new Response(new ReadableStream(), { headers: { "Content-Type": "text/event-stream" } }),
      () => events('id: 1\nevent: note\ndata: "a"\n\n'),
    ],
    { ...OPTIONS, silence: 20 },
  );

  assert.deepEqual(told.map(({ data }) => data), ["a"]);
});

test("what another try would not mend is thrown, a mistake in the data too", async () => {
  await assert.rejects(readAll([() => refusal(404, "exchange_not_found")]), {
    name: "ProblemError",
    code: "exchange_not_found",
  });
  await assert.rejects(readAll([() => events("event: note\ndata: {\n\n")]), SyntaxError);
});

test("the signal ends a stream that waits, and leaving the loop ends its connection", async () => {
  const given = new AbortController();
  const waiting = readAll([() => refusal(503, "unavailable")], {
    delay: () => 60_000,
    signal: given.signal,
  });
  setTimeout(() => given.abort(), 10);
  assert.deepEqual((await waiting).told, []);

  let connection: AbortSignal | undefined;
  const { wxc } = clientOf((request) => {
    connection = request.signal;
    return events('id: 1\nevent: note\ndata: "a"\n\n', "event: note\n");
  });
  for await (const event of wxc.stream<Events>("/stream")) if (event.type === "note") break;
  assert.equal(connection?.aborted, true);
});
