/** A fake API with scripted responses, for cases that are rare with a real one. */
import { type Client, type ClientOptions, type ProblemCode, createClient } from "@wxc/client";

export const BASE = "http://api.test";

export type Answer = (request: Request) => Response | Promise<Response>;

/** A client of the fake API and the recorded requests, for example `POST /posts`. */
export function clientOf(
  answer: Answer,
  options: Partial<ClientOptions> = {},
): { wxc: Client; requests: string[] } {
  const requests: string[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    requests.push(`${request.method} ${new URL(request.url).pathname}`);
    return await answer(request);
  };
  return { wxc: createClient({ baseUrl: `${BASE}/`, fetch, ...options }), requests };
}

export function json(body: unknown, status = 200): Response {
  return Response.json(body, { status });
}

export function refusal(status: number, code: ProblemCode): Response {
  const headers = { "Content-Type": "application/problem+json" };
  const problem = { type: `/docs/errors/${code}`, status, code, detail: code, request_id: "0" };
  return new Response(JSON.stringify(problem), { status, headers });
}

/** A promise `opened` that `open` resolves. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
