/** The other tabs of the site: they share the cookies, and so the session. */

/** What a tab tells the others: somebody logged in or out here, or the session was refreshed. */
export type News = "logged_in" | "logged_out" | "refreshed";

export interface Tabs {
  tell(news: News): void;
  /**
   * Do what one tab at a time should do. Where another one is at it already, wait until it is
   * done, and do nothing: undefined.
   */
  inTurn<Result>(action: () => Promise<Result>): Promise<Result | undefined>;
}

const PATIENCE = 10_000; // milliseconds, with a tab that the browser may have put to sleep

/** Cookies are shared in a browser only; elsewhere each client has its own. */
export function otherTabs(baseUrl: string, hear: (news: News) => void): Tabs {
  if (globalThis.location === undefined) {
    return { tell: () => undefined, inTurn: (action) => action() };
  }
  const name = `wxc ${baseUrl}`;
  const channel = new BroadcastChannel(name);
  channel.addEventListener("message", ({ data }: MessageEvent<News>) => hear(data));
  return { tell: (news) => channel.postMessage(news), inTurn: (action) => inTurn(name, action) };
}

async function inTurn<Result>(
  name: string,
  action: () => Promise<Result>,
): Promise<Result | undefined> {
  const { locks } = globalThis.navigator;
  if (locks === undefined) return await action(); // an insecure page: tabs do not see each other
  let result: Result | undefined;
  const isOurs = await locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock !== null) result = await action();
    return lock !== null;
  });
  if (isOurs) return result;
  try {
    return await locks.request(name, { signal: AbortSignal.timeout(PATIENCE) }, () => undefined);
  } catch {
    return await action();
  }
}
