import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransportProblem } from "@wxc/client";

test("an outage and a malformed body are transport problems", () => {
  for (const code of ["unavailable", "internal_error", "json_malformed", "body_too_large"]) {
    assert.equal(isTransportProblem({ code }), true, code);
  }
});

test("a refusal of an operation or an unknown code is not a transport problem", () => {
  for (const code of ["username_taken", "validation_failed", "hashing_busy", "some_later_code"]) {
    assert.equal(isTransportProblem({ code }), false, code);
  }
});
