import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Wish } from "@wxc/client";
import type { BrowserContext, Page } from "playwright-core";
import { BOARD, PASSWORD, member } from "../server/people.js";
import { API, FOREIGN_ORIGINS, Site, expire, tab } from "./site.js";

let site: Site;
before(async () => {
  site = await Site.open();
});
after(() => site.close());

/** A browser with a page of the app in which a new user is signed in. */
async function signedIn(username: string): Promise<{ browser: BrowserContext; page: Page }> {
  const browser = await site.newBrowser();
  const page = await tab(browser);
  await page.evaluate(
    async ({ username, password }) => {
      const email = `${username}@example.com`;
      const body = { username, email, password };
      await window.wxc.auth.register({ body, throwOnError: true });
      const credentials = { identifier: username, password };
      await window.wxc.auth.logIn({ body: credentials, throwOnError: true });
    },
    { username, password: PASSWORD },
  );
  return { browser, page };
}

/** The requests to the API, as `POST /posts 201`, in the order of the responses. */
function recordRequests(browser: BrowserContext): string[] {
  const requests: string[] = [];
  browser.on("response", (response) => {
    const { origin, pathname } = new URL(response.url());
    if (origin !== API) return;
    requests.push(`${response.request().method()} ${pathname} ${response.status()}`);
  });
  return requests;
}

test("the README's example works, also after a reload and after its access token expired", async () => {
  const orchard = await member("orchard_exchange");
  await orchard.exchange.replaceExchange({ body: BOARD, throwOnError: true });
  const browser = await site.newBrowser();
  const requests = recordRequests(browser);
  const page = await browser.newPage();
  const errors: Error[] = [];
  page.on("pageerror", (error) => errors.push(error));
  const shown = ["ada_example: Hello!", "500 SGD are 54740 JPY"];
  const assertShown = async () => {
    await page.getByText("500 SGD are").waitFor();
    assert.deepEqual((await page.innerText("body")).trim().split("\n"), shown);
  };

  await page.goto("http://app.wxc.localhost:3000/example");
  await assertShown();
  await page.reload();
  await assertShown();
  assert.ok(!requests.some((line) => line.includes("/refresh-token")));
  await expire(browser);
  await page.reload();
  await assertShown();

  assert.deepEqual(errors, []);
  const unsafe = requests.filter((line) => line.startsWith("POST"));
  assert.deepEqual(unsafe, [
    "POST /register 201",
    "POST /login 200",
    "POST /posts 201",
    "POST /refresh-token 200",
  ]);
  await browser.close();
});

test("after a reload the first write requests the CSRF token", async () => {
  const { browser, page } = await signedIn("reloader");
  await page.reload();
  const requests = recordRequests(browser);

  const error = await page.evaluate(async () => {
    const { error } = await window.wxc.posts.writePost({ body: { body: "Still here" } });
    return error?.code;
  });

  assert.equal(error, undefined);
  assert.deepEqual(requests, ["GET /csrf-token 200", "POST /posts 201"]);
  await browser.close();
});

test("two tabs with an expired access token refresh it once", async () => {
  const { browser, page } = await signedIn("two_tabs");
  const other = await tab(browser);
  await other.evaluate(() => window.wxc.auth.checkAuth({ throwOnError: true }));
  await expire(browser);
  const requests = recordRequests(browser);
  // Delay the refresh until the requests of both tabs have been refused.
  await browser.route("**/refresh-token", async (route) => {
    while (requests.filter((line) => line === "GET /feeds 401").length < 4) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await route.continue();
  });

  const read = async () => {
    const feeds = await Promise.all([window.wxc.feed.readFeed(), window.wxc.feed.readFeed()]);
    return feeds.map(({ error }) => error?.code);
  };
  const errors = await Promise.all([page.evaluate(read), other.evaluate(read)]);

  assert.deepEqual(errors, [[undefined, undefined], [undefined, undefined]]);
  assert.equal(requests.filter((line) => line.startsWith("POST /refresh-token")).length, 1);
  assert.equal(requests.filter((line) => line === "GET /feeds 200").length, 4);
  assert.deepEqual([await page.evaluate("ended"), await other.evaluate("ended")], [0, 0]);
  await browser.close();
});

test("the author of a post gets a live notification of a like", async () => {
  const { browser, page } = await signedIn("author");
  const { browser: readerBrowser, page: shown } = await signedIn("reader");
  const received = page.evaluate(async () => {
    for await (const event of window.wxc.stream("/notifications/stream")) {
      document.title = event.type;
      if (event.type === "notification") return event.data;
    }
    return undefined;
  });
  await page.waitForFunction(() => document.title === "snapshot");

  const post = await page.evaluate(async () => {
    const body = { body: "Look at this" };
    return (await window.wxc.posts.writePost({ body, throwOnError: true })).data;
  });
  const liked = await shown.evaluate(async (post_id) => {
    return (await window.wxc.likes.likePost({ path: { post_id }, throwOnError: true })).data;
  }, post.id);
  const notification = await received;

  assert.deepEqual(liked, { liked: true, likes_count: 1 });
  assert.equal(notification?.unread_count, 1);
  assert.equal(notification.group.type, "post_like");
  assert.equal(notification.group.post_id, post.id);
  assert.deepEqual(notification.group.actors.map(({ username }) => username), ["reader"]);
  await Promise.all([browser.close(), readerBrowser.close()]);
});

test("quotes computed in the browser equal the server's to the last digit", async () => {
  const changer = await member("changer");
  await changer.exchange.replaceExchange({ body: BOARD, throwOnError: true });
  const browser = await site.newBrowser();
  const page = await tab(browser);
  const amounts = ["1", "7", "99", "333", "49999", "50000", "777777"];
  const pairs = [["SGD", "JPY"], ["JPY", "SGD"], ["USD", "JPY"], ["JPY", "KWD"], ["KWD", "SGD"]];
  const wishes: Wish[] = pairs.flatMap(([from = "", to = ""]) =>
    amounts.flatMap((amount) => [{ from, to, amount }, { from, to, toAmount: amount }]),
  );

  const differences = await page.evaluate(async (wishes) => {
    const path = { username: "changer" };
    const { exchange } = window.wxc;
    const { data: board } = await exchange.getExchange({ path, throwOnError: true });
    const differences = await Promise.all(
      wishes.map(async (wish) => {
        const { from, to, amount, toAmount } = wish;
        const conversion = { from, to, ...(amount ? { amount } : { to_amount: toAmount }) };
        const query = conversion as Parameters<typeof exchange.getQuote>[0]["query"];
        const { data } = await exchange.getQuote({ path, query, throwOnError: true });
        const local = window.library.quote(board, wish);
        const differs = Object.entries(local).some(([name, value]) => {
          return name !== "legs" && `${JSON.stringify(value)}` !== JSON.stringify(data[name as keyof typeof data]);
        });
        return differs ? { wish, local, data } : undefined;
      }),
    );
    return differences.filter((difference) => difference !== undefined);
  }, wishes);

  assert.equal(wishes.length, 70);
  assert.deepEqual(differences, []);
  await browser.close();
});

test("logging out in one tab ends the session in the other", async () => {
  const { browser, page } = await signedIn("leaver");
  const other = await tab(browser);
  await other.evaluate(() => window.wxc.auth.checkAuth({ throwOnError: true }));

  await page.evaluate(() => window.wxc.auth.logOut({ throwOnError: true }));
  await other.waitForFunction(() => window.ended === 1);
  const code = await other.evaluate(async () => (await window.wxc.auth.checkAuth()).error?.code);

  assert.equal(code, "not_authenticated");
  assert.deepEqual([await page.evaluate("ended"), await other.evaluate("ended")], [1, 1]);
  assert.deepEqual((await browser.cookies(API)).map(({ name }) => name), ["wxc_device"]);
  await browser.close();
});

for (const origin of FOREIGN_ORIGINS) {
  test(`a page of ${new URL(origin).hostname} cannot use a user's session`, async () => {
    const victim = origin.includes("wxc") ? "victim_of_sibling" : "victim_of_stranger";
    const { browser, page } = await signedIn(victim);
    const foreignPage = await tab(browser, origin);
    const requests = recordRequests(browser);

    const read = await foreignPage.evaluate(async (api) => {
      const paths = ["/settings", "/csrf-token", "/auth-check", "/feeds", "/currencies"];
      const tries = paths.map((path) => fetch(api + path, { credentials: "include" }));
      const settled = await Promise.allSettled(tries);
      return settled.filter(({ status }) => status === "fulfilled").length;
    }, API);
    await foreignPage.evaluate(async (api) => {
      const body = JSON.stringify({ body: "Buy here" });
      const json = { "Content-Type": "application/json" };
      const simple = { method: "POST", mode: "no-cors", credentials: "include", body } as const;
      const preflighted = { method: "POST", credentials: "include", headers: json, body } as const;
      await Promise.allSettled([
        fetch(`${api}/posts`, simple),
        fetch(`${api}/logout`, { ...simple, body: null }),
        fetch(`${api}/posts`, preflighted),
      ]);
    }, API);
    await foreignPage.setContent(`<form method="post" action="${API}/logout"><button>Win!`);
    await Promise.all([foreignPage.waitForEvent("response"), foreignPage.click("button")]);

    const { posts, session } = await page.evaluate(async (username) => {
      const { data } = await window.wxc.users.getProfile({ path: { username } });
      const { data: session } = await window.wxc.auth.checkAuth();
      return { posts: data?.posts_count, session: session?.user.username };
    }, victim);
    assert.equal(read, 0);
    assert.equal(posts, 0);
    assert.equal(session, victim);
    // Cross-Origin-Resource-Policy keeps some responses from the other site's page.
    const unsafe = requests.filter((line) => line.startsWith("POST"));
    assert.deepEqual(unsafe.filter((line) => !line.endsWith(" 403")), []);
    assert.equal(unsafe.at(-1), "POST /logout 403"); // the form
    await browser.close();
  });
}
