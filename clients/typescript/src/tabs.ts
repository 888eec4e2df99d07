/** Messages and locks between the tabs of a site, which share the cookies and so the session. */

export type News = "logged_in" | "logged_out" | "refreshed";

export interface Tabs {
  send(news: News): void;
  /**
   * Run an action that only one tab at a time may run. If another tab is running it, wait until it
   * has finished and return undefined.
   */
  runExclusively<Result>(action: () => Promise<Result>): Promise<Result | undefined>;
}

const LOCK_TIMEOUT = 10_000; // milliseconds; the browser may have suspended the tab with the lock

/** Only clients in a browser share cookies; elsewhere there are no other tabs. */
export function otherTabs(baseUrl: string, receive: (news: News) => void): Tabs {
  if (globalThis.location === undefined) {
    return { send: () => undefined, runExclusively: (action) => action() };
  }
  const name = `wxc ${baseUrl}`;
  const channel = new BroadcastChannel(name);
  channel.addEventListener("message", ({ data }: MessageEvent<News>) => receive(data));
  return {
    send: (news) => channel.postMessage(news),
    runExclusively: (action) => runExclusively(name, action),
  };
}

async function runExclusively<Result>(
  name: string,
  action: () => Promise<Result>,
): Promise<Result | undefined> {
  const { locks } = globalThis.navigator;
  if (locks === undefined) return await action(); // insecure pages have no Web Locks
  let result: Result | undefined;
  const isOurs = await locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock !== null) result = await action();
    return lock !== null;
  });
  if (isOurs) return result;
  try {
    const signal = AbortSignal.timeout(LOCK_TIMEOUT);
    return await locks.request(name, { signal }, () => undefined);
  } catch {
    return await action();
  }
}
