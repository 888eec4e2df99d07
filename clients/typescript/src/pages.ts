/** Lists, page by page: iterate to read older items, call `newer` for newer ones. */
import { type AnyProblem, ProblemError } from "./problems.js";

/** One page of a list, as the API returns it. */
export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
  prev_cursor: string | null;
}

/** Requests a page; passes its argument to the API as (part of) the `query`. */
export type PageRequest<Item> = (
  query: { cursor?: string },
) => Promise<{ data?: Page<Item> | undefined; error?: unknown }>;

/**
 * Read a list. Yields each item once, even if pages repeat items.
 *
 *     const posts = paginate((page) => wxc.posts.listPosts({ path: { username }, query: page }));
 *     for await (const post of posts) show(post);
 *     const added = await posts.newer();
 */
export function paginate<Item extends object>(
  request: PageRequest<Item>,
  options: ListOptions<Item> = {},
): List<Item> {
  return new List(request, options.key ?? keyOf, options.oldestFirst ?? false);
}

export interface ListOptions<Item> {
  /** The identity of an item; by default its id, or the id of the post or exchange in it. */
  key?: (item: Item) => unknown;
  /** Set it for lists that grow at their end: comments with `sort: "oldest"`. */
  oldestFirst?: boolean;
}

/** A list and the items read so far. */
export class List<Item> implements AsyncIterable<Item> {
  readonly #request: PageRequest<Item>;
  readonly #key: (item: Item) => unknown;
  readonly #oldestFirst: boolean;
  readonly #seen = new Set<unknown>();
  #newest: string | null = null; // the cursor to newer items

  constructor(request: PageRequest<Item>, key: (item: Item) => unknown, oldestFirst: boolean) {
    this.#request = request;
    this.#key = key;
    this.#oldestFirst = oldestFirst;
  }

  /** Yields all items; iterating again starts from the first page. Throws `ProblemError`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    this.#seen.clear();
    let page = await this.#first();
    while (true) {
      yield* this.#unseen(page);
      if (page.next_cursor === null) return;
      page = await this.#page({ cursor: page.next_cursor });
      if (this.#oldestFirst) this.#newest = page.prev_cursor;
    }
  }

  /**
   * The items added since the list was last read, in the order of the list. Pages reach back two
   * seconds; if more than a page of items was added in that time, the next call returns the rest.
   */
  async newer(): Promise<Item[]> {
    if (this.#newest === null) return this.#unseen(await this.#first());
    const pages: Item[][] = [];
    let added: Item[];
    do {
      const page = await this.#page({ cursor: this.#newest });
      this.#newest = page.prev_cursor ?? this.#newest;
      added = this.#unseen(page);
      pages.push(added); // each page is newer than the previous one
    } while (added.length > 0);
    return (this.#oldestFirst ? pages : pages.reverse()).flat();
  }

  async #first(): Promise<Page<Item>> {
    const page = await this.#page({});
    this.#newest = page.prev_cursor;
    return page;
  }

  async #page(query: { cursor?: string }): Promise<Page<Item>> {
    const { data, error } = await this.#request(query);
    if (data === undefined) throw new ProblemError(error as AnyProblem);
    return data;
  }

  #unseen(page: Page<Item>): Item[] {
    return page.items.filter((item) => {
      const key = this.#key(item);
      const isNew = !this.#seen.has(key);
      this.#seen.add(key);
      return isNew;
    });
  }
}

function keyOf(item: object): unknown {
  const { id, seq, code, post, exchange, ...rest } = item as Record<string, unknown>;
  const shown = (post ?? exchange) as { id: string } | undefined;
  return id ?? seq ?? code ?? shown?.id ?? bucketOf(rest);
}

/** The history of rates can have an hour or a day several times, by base currency and unit. */
function bucketOf({ start, base_currency, unit }: Record<string, unknown>): string {
  return `${start} ${base_currency} ${unit}`;
}
