/** The types of problems, in this client and in openapi-typescript's. The test is that it compiles. */
import { type AnyProblem, ProblemError, createClient } from "@wxc/client";
import createFetchClient from "openapi-fetch";
import type { paths } from "../../build/types/openapi.js";

const credentials = { identifier: "ada", password: "a long walk in Porto" };

export async function byThisClient(): Promise<string> {
  const wxc = createClient({ baseUrl: "http://api.wxc.localhost:8000" });
  const { data, error } = await wxc.auth.logIn({ body: credentials });
  if (error === undefined) return data.csrf_token;
  // @ts-expect-error: this operation cannot return this code
  if (error.code === "post_not_found") return "";
  // @ts-expect-error: this operation can return other codes, too
  const code: "invalid_credentials" | "rate_limited" = error.code;
  if (error.code === "invalid_credentials") {
    // @ts-expect-error: only validation errors have `errors`
    return error.errors;
  }
  if (error.code === "validation_failed") return error.errors[0]?.pointer ?? code;
  return error.detail;
}

export async function byThisClientThrowing(): Promise<string> {
  const wxc = createClient({ baseUrl: "http://api.wxc.localhost:8000" });
  try {
    const { data } = await wxc.auth.logIn({ body: credentials, throwOnError: true });
    return data.csrf_token;
  } catch (thrown) {
    if (!(thrown instanceof ProblemError)) throw thrown;
    const problem: AnyProblem = thrown.problem;
    // @ts-expect-error: not a code
    if (thrown.code === "no_such_code") return "";
    return problem.code === "unknown_parameter" ? problem.errors.join() : problem.detail;
  }
}

export async function byOpenapiFetch(): Promise<string> {
  const wxc = createFetchClient<paths>({ baseUrl: "http://api.wxc.localhost:8000" });
  const { data, error } = await wxc.POST("/login", { body: credentials });
  if (error === undefined) return data.csrf_token;
  // @ts-expect-error: this operation cannot return this code
  if (error.code === "post_not_found") return "";
  // @ts-expect-error: this operation can return other codes, too
  const code: "invalid_credentials" | "rate_limited" = error.code;
  if (error.code === "invalid_credentials") {
    // @ts-expect-error: only validation errors have `errors`
    return error.errors;
  }
  if (error.code === "validation_failed") return error.errors[0]?.pointer ?? code;
  return error.detail;
}

export async function amounts(): Promise<void> {
  const wxc = createClient({ baseUrl: "http://api.wxc.localhost:8000" });
  const path = { username: "orchard_exchange" };
  // @ts-expect-error: an amount is a string
  await wxc.exchange.getQuote({ path, query: { from: "SGD", to: "JPY", amount: 500 } });
  // @ts-expect-error: not a currency
  await wxc.exchange.getQuote({ path, query: { from: "SGD", to: "XAU", amount: "500" } });
}
