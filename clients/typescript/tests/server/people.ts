/** Members of a real server, each with a separate client. */
import { type Board, type Client, createClient } from "@wxc/client";

export const PASSWORD = "a long walk in Porto";

export const BOARD: Board = {
  name: "Orchard Exchange",
  base_currency: "SGD",
  rates: [
    { currency: "JPY", unit: 100, we_buy: "0.8950", we_sell: "0.9134", max_amount: "1000000" },
    { currency: "USD", we_buy: "1.3350" },
    { currency: "KWD", we_buy: "4.1901", we_sell: "4.3333333333", min_amount: "5" },
  ],
};

export function apiUrl(): string {
  const url = process.env["WXC_API"];
  if (url === undefined) throw new Error("Set WXC_API to the URL of the API.");
  return url;
}

/** The signed-in client of a new member. */
export async function member(username: string): Promise<Client> {
  const wxc = createClient({ baseUrl: apiUrl(), fetch: keepingCookies() });
  const email = `${username}@example.com`;
  await wxc.auth.register({ body: { username, email, password: PASSWORD }, throwOnError: true });
  const credentials = { identifier: username, password: PASSWORD };
  await wxc.auth.logIn({ body: credentials, throwOnError: true });
  return wxc;
}

/** A `fetch` that stores and sends cookies, as browsers do. */
function keepingCookies(): (request: Request) => Promise<Response> {
  const cookies = new Map<string, string>();
  return async (request) => {
    const held = [...cookies].map(([name, value]) => `${name}=${value}`);
    request.headers.set("Cookie", held.join("; "));
    const response = await fetch(request);
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
}
