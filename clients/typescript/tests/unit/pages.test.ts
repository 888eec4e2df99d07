import assert from "node:assert/strict";
import { test } from "node:test";
import { type Page, ProblemError, paginate } from "@wxc/client";

interface Item {
  id: number;
}

/** A list as the server pages it: newest first, and what is newer reaching back by one. */
class Server {
  readonly asked: (string | undefined)[] = [];
  constructor(public newest: number) {}

  readonly request = async ({ cursor }: { cursor?: string }): Promise<{ data: Page<Item> }> => {
    this.asked.push(cursor);
    const [direction, position] = [cursor?.[0], Number(cursor?.slice(1))];
    const first = direction === "n" ? Math.min(position + 1, this.newest) : (position || this.newest + 1) - 1;
    const ids = [first, first - 1].filter((id) => id > 0);
    const last = ids.at(-1) ?? 1;
    return {
      data: {
        items: ids.map((id) => ({ id })),
        next_cursor: last > 1 ? `o${last}` : null,
        prev_cursor: `n${Math.max(first, 1)}`,
      },
    };
  };
}

async function idsOf(items: AsyncIterable<Item>): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of items) ids.push(id);
  return ids;
}

test("a list is read to its end, page by page, and only as far as one goes", async () => {
  const server = new Server(5);

  assert.deepEqual(await idsOf(paginate(server.request)), [5, 4, 3, 2, 1]);
  assert.equal(server.asked.length, 3);
  for await (const { id } of paginate(server.request)) if (id === 4) break;
  assert.equal(server.asked.length, 4);
});

test("what is newer comes once, newest first, however many pages it fills", async () => {
  const server = new Server(3);
  const list = paginate(server.request);
  await idsOf(list);

  assert.deepEqual(await list.newer(), []);
  server.newest = 7;
  assert.deepEqual((await list.newer()).map(({ id }) => id), [7, 6, 5, 4]);
  assert.deepEqual(await list.newer(), []);
});

test("an empty list has something newer once something is there", async () => {
  const empty = { items: [], next_cursor: null, prev_cursor: null };
  const filled = { items: [{ id: 1 }], next_cursor: null, prev_cursor: "n1" };
  let page: Page<Item> = empty;
  const list = paginate(async () => ({ data: page }));

  assert.deepEqual(await idsOf(list), []);
  assert.deepEqual(await list.newer(), []);
  page = filled;
  assert.deepEqual(await list.newer(), [{ id: 1 }]);
  assert.deepEqual(await list.newer(), []);
});

test("a list that grows at its end gives what is newer in its own order", async () => {
  let newest = 3;
  const list = paginate(
    async ({ cursor }: { cursor?: string }) => {
      const after = Number(cursor ?? 0);
      const ids = [after + 1, after + 2].filter((id) => id <= newest);
      const last = ids.at(-1) ?? after;
      return {
        data: {
          items: ids.map((id) => ({ id })),
          next_cursor: last < newest ? `${last}` : null,
          prev_cursor: `${last}`,
        },
      };
    },
    { oldestFirst: true },
  );

  assert.deepEqual(await idsOf(list), [1, 2, 3]);
  newest = 6;
  assert.deepEqual((await list.newer()).map(({ id }) => id), [4, 5, 6]);
});

test("items without an id are told apart by what they show, or as one says", async () => {
  const items = [{ post: { id: "a" } }, { post: { id: "b" } }, { post: { id: "a" } }];
  const data = { items, next_cursor: null, prev_cursor: null };
  const shown = [];
  for await (const item of paginate(async () => ({ data }))) shown.push(item.post.id);

  assert.deepEqual(shown, ["a", "b"]);
  const all = paginate(async () => ({ data }), { key: (item) => item });
  assert.equal((await all.newer()).length, 3);
});

test("a refusal of a page is thrown with its code", async () => {
  const error = { code: "user_not_found", detail: "There is no such person.", request_id: "" };
  const list = paginate(async () => ({ data: undefined, error }));

  await assert.rejects(list.newer(), (thrown) => {
    return thrown instanceof ProblemError && thrown.code === "user_not_found";
  });
});
