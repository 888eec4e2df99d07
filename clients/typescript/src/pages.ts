/** Lists, page by page: older items by iterating, newer ones by asking again. */
import { type AnyProblem, ProblemError } from "./problems.js";

/** One page of a list, as the API answers it. */
export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
  prev_cursor: string | null;
}

/** What asks for a page: pass the argument on as (part of) the `query`. */
export type PageRequest<Item> = (
  query: { cursor?: string },
) => Promise<{ data?: Page<Item> | undefined; error?: unknown }>;

/**
 * Read a list. Each item comes once, whatever the pages repeat.
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
  /** What tells an item from others; by default its id, or the id of what it shows. */
  key?: (item: Item) => unknown;
  /** For the one kind of list that grows at its end: comments with `sort: "oldest"`. */
  oldestFirst?: boolean;
}

/** A list as far as it has been read. */
export class List<Item> implements AsyncIterable<Item> {
  readonly #request: PageRequest<Item>;
  readonly #key: (item: Item) => unknown;
  readonly #oldestFirst: boolean;
  readonly #seen = new Set<unknown>();
  #newest: string | null = null; // the cursor that brings what is newer

  constructor(request: PageRequest<Item>, key: (item: Item) => unknown, oldestFirst: boolean) {
    this.#request = request;
    this.#key = key;
    this.#oldestFirst = oldestFirst;
  }

  /** From the beginning to the end; begun anew, all of it once more. Throws `ProblemError`. */
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
   * What was added since the list was last read, in its order. Pages reach back two seconds, so
   * what comes faster than a page in that time may come with the next call.
   */
  async newer(): Promise<Item[]> {
    if (this.#newest === null) return this.#unseen(await this.#first());
    const pages: Item[][] = [];
    let added: Item[];
    do {
      const page = await this.#page({ cursor: this.#newest });
      this.#newest = page.prev_cursor ?? this.#newest;
      added = this.#unseen(page);
      pages.push(added); // each is newer than the one before
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

/** An hour or a day in the history of a rate is one of its base currency and unit. */
function bucketOf({ start, base_currency, unit }: Record<string, unknown>): string {
  return `${start} ${base_currency} ${unit}`;
}
