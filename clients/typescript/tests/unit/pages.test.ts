import assert from "node:assert/strict";
import { test } from "node:test";
import { type Page, ProblemError, paginate } from "@wxc/client";

interface Item {
  id: number;
}

/** Pages of a list as the server returns them: newest first; `prev_cursor` repeats one item. */
class Server {
  readonly requests: (string | undefined)[] = [];
  constructor(public newest: number) {}

  readonly request = async ({ cursor }: { cursor?: string }): Promise<{ data: Page<Item> }> => {
    this.requests.push(cursor);
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

test("a list is read page by page, and only as far as the loop goes", async () => {
  const server = new Server(5);

  assert.deepEqual(await idsOf(paginate(server.request)), [5, 4, 3, 2, 1]);
  assert.equal(server.requests.length, 3);
  for await (const { id } of paginate(server.request)) if (id === 4) break;
  assert.equal(server.requests.length, 4);
});

test("`newer` returns each new item once, newest first, over several pages", async () => {
  const server = new Server(3);
  const list = paginate(server.request);
  await idsOf(list);

  assert.deepEqual(await list.newer(), []);
  server.newest = 7;
  assert.deepEqual((await list.newer()).map(({ id }) => id), [7, 6, 5, 4]);
  assert.deepEqual(await list.newer(), []);
});

test("`newer` returns the first item of a list that was empty", async () => {
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

test("`newer` keeps the order of a list that grows at its end", async () => {
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

test("items without an id are identified by their post, or by the option `key`", async () => {
  const items = [{ post: { id: "a" } }, { post: { id: "b" } }, { post: { id: "a" } }];
  const data = { items, next_cursor: null, prev_cursor: null };
  const shown = [];
  for await (const item of paginate(async () => ({ data }))) shown.push(item.post.id);

  assert.deepEqual(shown, ["a", "b"]);
  const all = paginate(async () => ({ data }), { key: (item) => item });
  assert.equal((await all.newer()).length, 3);
});

test("a refused page is thrown as a ProblemError with its code", async () => {
  const error = { code: "user_not_found", detail: "User not found.", request_id: "" };
  const list = paginate(async () => ({ data: undefined, error }));

  await assert.rejects(list.newer(), (thrown) => {
    return thrown instanceof ProblemError && thrown.code === "user_not_found";
  });
});
