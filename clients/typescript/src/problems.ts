/** Errors of the API, distinguished by `code`. */
import {
  type AnyProblem,
  type ProblemCode,
  type ValidationCode,
  TRANSPORT_CODES,
} from "./generated/problems.gen.js";
import type { TransportProblem } from "./generated/types.gen.js";

export type { AnyProblem, ProblemCode, ValidationCode };

/** A problem as an exception, thrown by lists, streams and calls with `throwOnError: true`. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";

  constructor(readonly problem: AnyProblem) {
    super(problem.detail);
  }

  get code(): ProblemCode {
    return this.problem.code;
  }
}

/** A response that does not come from the API, such as an error page of a proxy. */
export class UnexpectedAnswer extends Error {
  override readonly name = "UnexpectedAnswer";

  constructor(readonly response: Response) {
    super(`${response.status} ${response.statusText} from ${response.url}`);
  }
}

export function isProblem(value: unknown): value is AnyProblem {
  if (typeof value !== "object" || value === null) return false;
  return "code" in value && typeof value.code === "string" && "request_id" in value;
}

/**
 * Whether any request can get this problem: an outage, a deadline, a body that is too large or
 * malformed. All other problems are refusals of the operation itself.
 */
export function isTransportProblem(problem: { code: string }): problem is TransportProblem {
  return TRANSPORT_CODES.includes(problem.code);
}

/** The problem in a response; the body can still be read afterwards. */
export async function problemIn(response: Response): Promise<AnyProblem | undefined> {
  if (!response.headers.get("Content-Type")?.startsWith("application/problem+json")) return;
  const value: unknown = await response.clone().json();
  return isProblem(value) ? value : undefined;
}
