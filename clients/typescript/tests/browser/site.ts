/** A browser and a server for its pages, which serves the same static files for every host name. */
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import type { Client } from "@wxc/client";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import { apiUrl } from "../server/people.js";

declare global {
  interface Window {
    /** The imported package and a client. */
    library: typeof import("@wxc/client");
    wxc: Client;
    /** The number of calls to `onSignedOut`. */
    ended: number;
  }
}

export const API = "http://api.wxc.localhost:8000";
export const APP = "http://app.wxc.localhost:3000";
/** An origin on another site, which gets no cookies, and one on the same site that is not trusted. */
export const FOREIGN_ORIGINS = ["http://evil.localhost:3000", "http://evil.wxc.localhost:3000"];

const FOLDER = new URL("../../", import.meta.url);
const TYPES: Record<string, string> = { ".js": "text/javascript", ".mjs": "text/javascript" };
const IMPORTS = { "@wxc/client": "/dist/index.js", "big.js": "/node_modules/big.js/big.mjs" };
const CLIENT = `
  import * as library from "@wxc/client";
  const onSignedOut = () => { window.ended += 1; };
  const wxc = library.createClient({ baseUrl: "${API}", onSignedOut });
  Object.assign(window, { library, wxc, ended: 0 });`;
const PAGES: Record<string, string> = {
  "/": `<script type="module">${CLIENT}</script>`,
  "/example": '<script type="module" src="/build/example/example.js"></script>',
};
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
const OFFLINE = ["background-networking", "component-update", "sync"].map((it) => `--disable-${it}`);

/** A browser in which the host names above resolve to the API and to these pages. */
export class Site {
  private constructor(
    private readonly server: Server,
    private readonly browser: Browser,
  ) {}

  static async open(): Promise<Site> {
    const server = createServer(async (request, response) => {
      const { pathname } = new URL(request.url ?? "/", APP);
      const content = PAGES[pathname];
      if (content !== undefined) {
        response.setHeader("Content-Type", "text/html; charset=utf-8");
        response.end(documentOf(content));
        return;
      }
      try {
        const file = await readFile(new URL(`.${pathname}`, FOLDER));
        response.setHeader("Content-Type", TYPES[extname(pathname)] ?? "text/plain");
        response.end(file);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const here = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const rules = [APP, ...FOREIGN_ORIGINS].map((origin) => `MAP ${new URL(origin).host} ${here}`);
    rules.push(`MAP ${new URL(API).host} ${new URL(apiUrl()).host}`);
    const browser = await chromium.launch({
      executablePath: process.env["WXC_CHROMIUM"] ?? "chromium",
      args: [...QUIET, ...OFFLINE, `--host-resolver-rules=${rules.join(",")}`],
    });
    return new Site(server, browser);
  }

  /** A browser with its own cookies. */
  async newBrowser(): Promise<BrowserContext> {
    return await this.browser.newContext();
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** A new tab with a client. */
export async function tab(browser: BrowserContext, origin = APP): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${origin}/`);
  return page;
}

/** Replaces the access token by an expired one. */
export async function expire(browser: BrowserContext): Promise<void> {
  const cookie = (await browser.cookies(API)).find(({ name }) => name === "wxc_access");
  if (cookie === undefined) throw new Error("No user is signed in.");
  const [header = "", payload = ""] = cookie.value.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as { exp: number };
  const old = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp - 7200 }));
  const signed = `${header}.${old.toString("base64url")}`;
  const key = process.env["WXC_JWT_SECRET_KEY"] ?? "";
  const signature = createHmac("sha256", key).update(signed).digest("base64url");
  await browser.addCookies([{ ...cookie, value: `${signed}.${signature}` }]);
}

function documentOf(content: string): string {
  const imports = JSON.stringify({ imports: IMPORTS });
  const head = '<meta charset="utf-8"><title>WXC Social</title><link rel="icon" href="data:,">';
  return `<!doctype html>${head}<script type="importmap">${imports}</script><body>${content}`;
}
