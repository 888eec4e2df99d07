/**
 * A `switch` over the codes of `writePost` with the types of both generators. It compiles only if it
 * lists each code of the operation and no other. Errors that any request can get are one type.
 */
import { type TransportProblem, createClient, isTransportProblem } from "@wxc/client";
import createFetchClient from "openapi-fetch";
import type { components, paths } from "../../build/types/openapi.js";

const baseUrl = "http://api.wxc.localhost:8000";
const post = { body: "Hello!" };

export async function byThisClient(): Promise<string> {
  const { error } = await createClient({ baseUrl }).posts.writePost({ body: post });
  if (error === undefined) return "written";
  if (isTransportProblem(error)) return transportText(error);
  switch (error.code) {
    case "not_authenticated":
    case "session_expired":
      return `log in: ${error.status satisfies 401}`;
    case "csrf_failed":
      return `reload: ${error.status satisfies 403}`;
    case "idempotency_in_flight":
      return `wait: ${error.status satisfies 409}`;
    case "too_many_requests":
      return `wait: ${error.status satisfies 429}`;
    case "idempotency_mismatch":
    case "unknown_parameter":
    case "validation_failed":
      return error.errors.map(({ pointer }) => pointer).join();
    default:
      return error satisfies never;
  }
}

export async function withACodeMissing(): Promise<void> {
  const { error } = await createClient({ baseUrl }).posts.writePost({ body: post });
  if (error === undefined || isTransportProblem(error)) return;
  switch (error.code) {
    case "not_authenticated":
    case "session_expired":
    case "csrf_failed":
    case "too_many_requests":
    case "idempotency_mismatch":
    case "unknown_parameter":
    case "validation_failed":
      return;
    // @ts-expect-error: not a code of writePost
    case "post_not_found":
      return;
    // @ts-expect-error: excluded by `isTransportProblem`
    case "overloaded":
      return;
    default:
      // @ts-expect-error: idempotency_in_flight is missing
      error satisfies never;
  }
}

/** Without the guard, the transport type remains after all codes of the operation. */
export async function byOpenapiFetch(): Promise<string> {
  const wxc = createFetchClient<paths>({ baseUrl });
  const { error } = await wxc.POST("/posts", { body: post });
  if (error === undefined) return "written";
  switch (error.code) {
    case "not_authenticated":
    case "session_expired":
    case "csrf_failed":
    case "idempotency_in_flight":
    case "too_many_requests":
      return error.detail;
    case "idempotency_mismatch":
    case "unknown_parameter":
    case "validation_failed":
      return error.errors.map(({ pointer }) => pointer).join();
    // @ts-expect-error: not a code of writePost
    case "post_not_found":
      return "";
    default:
      return transportText(error satisfies components["schemas"]["TransportProblem"]);
  }
}

/** Both generators produce the same type. */
function transportText(problem: TransportProblem): string {
  switch (problem.code) {
    case "body_too_large":
    case "duplicate_key":
    case "headers_too_large":
    case "json_malformed":
    case "json_too_deep":
    case "malformed_request":
    case "unsupported_media_type":
    case "uri_too_long":
      return problem.detail;
    case "deadline_exceeded":
    case "overloaded":
    case "request_timeout":
    case "retry":
    case "unavailable":
      return "try again";
    case "internal_error":
      return problem.request_id;
    default:
      return problem.code satisfies never;
  }
}
