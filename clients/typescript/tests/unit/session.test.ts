import assert from "node:assert/strict";
import { test } from "node:test";
import { UnexpectedAnswer } from "@wxc/client";
import { type Answer, clientOf, gate, json, refusal } from "./api.js";

/** An API that refuses the access token as expired until it is refreshed. */
class Expired {
  token = "of-the-session";
  isFresh = false;
  refresh: Answer = () => this.renew();

  readonly answer: Answer = async (request) => {
    const path = new URL(request.url).pathname;
    if (path === "/csrf-token") return json({ csrf_token: this.token });
    if (request.method !== "GET" && request.headers.get("X-CSRF-Token") !== this.token) {
      return refusal(403, "csrf_failed");
    }
    if (path === "/refresh-token") return await this.refresh(request);
    if (!this.isFresh) return refusal(401, "session_expired");
    return json(request.method === "GET" ? { items: [] } : await request.json(), 201);
  };

  renew(): Response {
    this.isFresh = true;
    return json({ csrf_token: this.token });
  }
}

test("parallel requests wait for one refresh and are sent again unchanged", async () => {
  const { wxc, requests } = clientOf(new Expired().answer);

  const posts = await Promise.all(
    ["a", "b", "c"].map((body) => wxc.posts.writePost({ body: { body }, throwOnError: true })),
  );

  assert.deepEqual(posts.map(({ data }) => data), [{ body: "a" }, { body: "b" }, { body: "c" }]);
  assert.equal(requests.filter((line) => line === "POST /refresh-token").length, 1);
  assert.equal(requests.filter((line) => line === "GET /csrf-token").length, 1);
  assert.equal(requests.filter((line) => line === "POST /posts").length, 6);
});

test("a request refused before the refresh is sent again without a second refresh", async () => {
  const session = new Expired();
  const slow = gate();
  const { wxc, requests } = clientOf(async (request) => {
    const response = await session.answer(request);
    if (request.url.includes("slow") && !response.ok) await slow.opened;
    return response;
  });

  const late = wxc.users.getProfile({ path: { username: "slow" } });
  await wxc.feed.readFeed({ throwOnError: true });
  slow.open();

  assert.equal((await late).error, undefined);
  assert.equal(requests.filter((line) => line === "POST /refresh-token").length, 1);
});

test("a refused refresh ends the session and calls onSignedOut once", async () => {
  let ended = 0;
  const session = new Expired();
  session.refresh = () => refusal(401, "refresh_reused");
  const { wxc } = clientOf(session.answer, { onSignedOut: () => (ended += 1) });

  const answers = await Promise.all([wxc.feed.readFeed(), wxc.feed.readFeed()]);
  answers.push(await wxc.feed.readFeed());

  assert.deepEqual(answers.map(({ error }) => error?.code), Array(3).fill("session_expired"));
  assert.equal(ended, 1);
});

test("an outage during the refresh does not end the session", async () => {
  let ended = 0;
  const session = new Expired();
  session.refresh = () => refusal(503, "unavailable");
  const { wxc } = clientOf(session.answer, { onSignedOut: () => (ended += 1) });

  const { error } = await wxc.feed.readFeed();
  session.refresh = () => session.renew();
  const again = await wxc.feed.readFeed();

  assert.equal(error?.code, "unavailable");
  assert.equal(again.error, undefined);
  assert.equal(ended, 0);
});

test("a CSRF token of a previous session is replaced and the request sent again", async () => {
  const session = new Expired();
  session.isFresh = true;
  const { wxc } = clientOf(session.answer);
  await wxc.posts.writePost({ body: { body: "a" }, throwOnError: true });

  session.token = "of another session"; // a log-in in another tab
  const { error } = await wxc.posts.writePost({ body: { body: "b" } });

  assert.equal(error, undefined);
});

test("a write refused in spite of a valid CSRF token is not repeated", async () => {
  const { wxc, requests } = clientOf((request) => {
    return request.method === "GET" ? json({ csrf_token: "good" }) : refusal(403, "csrf_failed");
  });

  const { error } = await wxc.posts.writePost({ body: { body: "a" } });

  assert.equal(error?.code, "csrf_failed");
  assert.deepEqual(requests, ["GET /csrf-token", "POST /posts", "GET /csrf-token"]);
});

test("log-in needs no CSRF token and returns one, and log-out calls onSignedOut once", async () => {
  let ended = 0;
  const tokens: (string | null)[] = [];
  const { wxc, requests } = clientOf(
    (request) => {
      tokens.push(request.headers.get("X-CSRF-Token"));
      if (request.url.endsWith("/login")) return json({ csrf_token: "new" });
      return new Response(null, { status: 204 });
    },
    { onSignedOut: () => (ended += 1) },
  );

  await wxc.auth.logIn({ body: { identifier: "ada", password: "a long walk" } });
  await wxc.auth.logOut();

  assert.deepEqual(requests, ["POST /login", "POST /logout"]);
  assert.deepEqual(tokens, [null, "new"]);
  assert.equal(ended, 1);
});

test("a response without a problem and a network error are thrown", async () => {
  const proxy = clientOf(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
  const offline = clientOf(() => Promise.reject(new TypeError("fetch failed")));

  await assert.rejects(proxy.wxc.feed.readFeed(), UnexpectedAnswer);
  await assert.rejects(offline.wxc.feed.readFeed(), TypeError);
});
