/** What any request can meet is told apart from what its operation refuses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransportProblem } from "@wxc/client";

test("an outage and a malformed body are problems of the transport", () => {
  for (const code of ["unavailable", "internal_error", "json_malformed", "body_too_large"]) {
    assert.equal(isTransportProblem({ code }), true, code);
  }
});

test("what an operation refuses, or an unknown code, is none", () => {
  for (const code of ["username_taken", "validation_failed", "hashing_busy", "some_later_code"]) {
    assert.equal(isTransportProblem({ code }), false, code);
  }
});
