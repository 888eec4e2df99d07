import assert from "node:assert/strict";
import { test } from "node:test";
import { type BoardEvents, type StreamEvent, type Wish, createClient, paginate, quote } from "@wxc/client";
import { BOARD, PASSWORD, apiUrl, member } from "./people.js";

test("a list yields all items, and `newer` yields each new item once", async () => {
  const wxc = await member("page_writer");
  const write = (body: string) => wxc.posts.writePost({ body: { body }, throwOnError: true });
  for (const body of ["1", "2", "3", "4", "5"]) await write(body);
  const feed = paginate((page) => wxc.feed.readFeed({ query: { ...page, limit: 2 } }));
  const path = { username: "page_writer" };
  const posts = paginate((page) => wxc.posts.listPosts({ path, query: page }));

  const fed: string[] = [];
  for await (const { post } of feed) fed.push(post.body);
  assert.deepEqual(fed, ["5", "4", "3", "2", "1"]);
  const read: string[] = [];
  for await (const { body } of posts) read.push(body);
  assert.deepEqual(read, fed);

  assert.deepEqual(await posts.newer(), []); // items of the last two seconds repeat and are dropped
  await write("6");
  await write("7");
  assert.deepEqual((await posts.newer()).map(({ body }) => body), ["7", "6"]);
  assert.deepEqual(await posts.newer(), []);
});

test("problems have a code, and validation problems point to the invalid field", async () => {
  const anonymous = createClient({ baseUrl: apiUrl() });
  const login = await anonymous.auth.logIn({ body: { identifier: "nobody", password: PASSWORD } });
  const body = { username: "x", email: "x@example.com", password: PASSWORD };
  const registration = await anonymous.auth.register({ body });

  assert.equal(login.error?.code, "invalid_credentials");
  assert.equal(registration.error?.code, "validation_failed");
  assert.deepEqual(registration.error.errors.map(({ pointer }) => pointer), ["/username"]);
});

test("quotes computed by the client equal the server's to the last digit", async () => {
  const wxc = await member("quote_owner");
  await wxc.exchange.replaceExchange({ body: BOARD, throwOnError: true });
  const path = { username: "quote_owner" };
  const { data: board } = await wxc.exchange.getExchange({ path, throwOnError: true });
  const wishes: Wish[] = [
    { from: "SGD", to: "JPY", amount: "500" },
    { from: "USD", to: "JPY", amount: "12.34" },
    { from: "SGD", to: "JPY", toAmount: "49999" },
    { from: "JPY", to: "KWD", toAmount: "5.001" },
    { from: "JPY", to: "KWD", toAmount: "4.999" },
    { from: "SGD", to: "JPY", toAmount: "1000001" },
    { from: "SGD", to: "USD", amount: "1.00" },
    { from: "JPY", to: "SGD", amount: "1" },
    { from: "SGD", to: "SGD", amount: "0.10" },
  ];

  const reasons = [];
  for (const wish of wishes) {
    const { from, to, amount, toAmount } = wish;
    const side = amount === undefined ? { to_amount: toAmount } : { amount };
    const query = { from, to, ...side } as Parameters<typeof wxc.exchange.getQuote>[0]["query"];
    const { data } = await wxc.exchange.getQuote({ path, query, throwOnError: true });
    const { as_of, state, legs, ...rest } = data;
    const shown = legs.map(({ confirmed_at, ...leg }) => leg);

    assert.deepEqual(quote(board, wish), { ...rest, legs: shown }, JSON.stringify(wish));
    reasons.push(data.reason);
  }
  assert.deepEqual(new Set(reasons), new Set([null, "below_min", "above_max", "not_offered", "too_small"]));
});

test("notifications arrive live, and a resumed stream sends missed ones", async () => {
  const ada = await member("ada_listens");
  const bob = await member("bob_likes");
  const like = async (body: string) => {
    const { data } = await ada.posts.writePost({ body: { body }, throwOnError: true });
    await bob.likes.likePost({ path: { post_id: data.id }, throwOnError: true });
    return data.id;
  };

  const live = ada.stream("/notifications/stream");
  const snapshot = await next(live);
  assert.deepEqual(snapshot.data, { unread_count: 0 });
  const first = await like("first");
  const event = await next(live);
  assert.ok(event.type === "notification");
  assert.equal(event.data.group.post_id, first);
  assert.equal(event.data.unread_count, 1);
  await live.return();

  const missed = await like("second");
  const resumed = ada.stream("/notifications/stream", { lastEventId: event.id });
  const received: (string | null)[] = [];
  for await (const { type, data } of resumed) {
    if (type === "notification") received.push(data.group.post_id);
    if (received.includes(missed)) break;
  }
  assert.ok(received.length <= 2); // events of the last two seconds may repeat
});

test("an anonymous viewer gets a board's snapshot, changes and confirmations live", async () => {
  const owner = await member("board_owner");
  await owner.exchange.replaceExchange({ body: BOARD, throwOnError: true });
  const anonymous = createClient({ baseUrl: apiUrl() });
  const live = anonymous.stream<BoardEvents>("/users/board_owner/exchange/stream");

  const snapshot = await next(live);
  assert.ok(snapshot.type === "snapshot");
  assert.deepEqual(snapshot.data.rates.map(({ currency }) => currency), ["JPY", "KWD", "USD"]);
  const usd = { currency: "USD", we_buy: "1.3360" } as const;
  await owner.exchange.replaceExchange({ body: { ...BOARD, rates: [usd] }, throwOnError: true });
  const changes = [await next(live), await next(live), await next(live)].map(({ type, data }) => {
    assert.ok(type === "rates");
    return [data.currency, data.we_buy];
  });
  assert.deepEqual(changes.sort(), [["JPY", null], ["KWD", null], ["USD", "1.3360"]]);
  for (const _ of [1, 2]) {
    const { data: board } = await owner.exchange.confirmExchange({ throwOnError: true });
    const confirmed = await next(live);
    assert.ok(confirmed.type === "confirmed");
    assert.equal(confirmed.data.confirmed_at, board.rates[0]?.confirmed_at);
  }
  await live.return();
});

async function next<Events>(
  stream: AsyncGenerator<StreamEvent<Events>, void, undefined>,
): Promise<StreamEvent<Events>> {
  const { value } = await stream.next();
  assert.ok(value);
  return value;
}
