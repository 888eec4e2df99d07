/** What can go wrong, told apart by `code`. */
import {
  type AnyProblem,
  type ProblemCode,
  type ValidationCode,
  TRANSPORT_CODES,
} from "./generated/problems.gen.js";
import type { TransportProblem } from "./generated/types.gen.js";

export type { AnyProblem, ProblemCode, ValidationCode };

/** A problem that is thrown: by lists, by streams, and by calls with `throwOnError: true`. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";

  constructor(readonly problem: AnyProblem) {
    super(problem.detail);
  }

  get code(): ProblemCode {
    return this.problem.code;
  }
}

/** An answer that does not come from the API: a proxy's page, or none of the expected status. */
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
 * Whether any request could have met this problem, whatever it asked for: an outage, a deadline, a
 * body that is too large or malformed. What remains is what the operation itself refuses.
 */
export function isTransportProblem(problem: { code: string }): problem is TransportProblem {
  return TRANSPORT_CODES.includes(problem.code);
}

/** The problem in a refusal, which can still be read afterwards. */
export async function problemIn(response: Response): Promise<AnyProblem | undefined> {
  if (!response.headers.get("Content-Type")?.startsWith("application/problem+json")) return;
  const value: unknown = await response.clone().json();
  return isProblem(value) ? value : undefined;
}
