import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type QuotedBoard, QuoteError, type QuotedRate, type Wish, quote } from "@wxc/client";

interface Vector {
  board: QuotedBoard;
  wish: { from: string; to: string; amount?: string; to_amount?: string };
  result: {
    from_amount: string | null;
    to_amount: string | null;
    reason: string | null;
    effective_rate: string | null;
  };
}

const FILE = new URL("../../../vectors/quotes.json", import.meta.url);
const vectors = JSON.parse(readFileSync(FILE, "utf8")) as Vector[];
const rate: QuotedRate = { currency: "JPY", unit: 100, we_buy: "0.8950", we_sell: "0.9134" };
const board: QuotedBoard = { base_currency: "SGD", rates: [rate] };

test("every vector gives the server's result", () => {
  assert.ok(vectors.length >= 307);
  for (const vector of vectors) {
    assert.deepEqual(outcome(vector), vector.result, JSON.stringify(vector));
  }
});

function outcome({ board, wish }: Vector): Vector["result"] {
  try {
    const { from_amount, to_amount, reason, effective_rate } = quote(board, asWish(wish));
    return { from_amount, to_amount, reason, effective_rate };
  } catch (error) {
    assert.ok(error instanceof QuoteError);
    const [from_amount, to_amount] = [wish.amount ?? null, wish.to_amount ?? null];
    return { from_amount, to_amount, reason: error.code, effective_rate: null };
  }
}

function asWish({ from, to, amount, to_amount }: Vector["wish"]): Wish {
  return amount === undefined ? { from, to, toAmount: to_amount ?? "" } : { from, to, amount };
}

test("a quote contains its legs and its rounding", () => {
  const { legs, rounding, feasible } = quote(board, { from: "JPY", to: "SGD", amount: "49999" });

  assert.equal(feasible, true);
  assert.deepEqual(legs, [{ currency: "JPY", side: "we_buy", rate: "0.8950", unit: 100 }]);
  assert.deepEqual(rounding, { mode: "down", increment: "0.01" });
});

test("invalid input is refused with the server's code", () => {
  const refused: [Wish, string][] = [
    [{ from: "SGD", to: "JPY", amount: "0.00" }, "decimal_zero"],
    [{ from: "SGD", to: "JPY", amount: "1.005" }, "too_many_decimals"],
    [{ from: "SGD", to: "JPY", toAmount: "0.5" }, "too_many_decimals"],
    [{ from: "SGD", to: "XAU", amount: "1" }, "currency_unknown"],
    [{ from: "SGD", to: "JPY", amount: 5 as unknown as string }, "decimal_malformed"],
    [{ from: "SGD", to: "JPY" } as Wish, "one_amount"],
    [{ from: "SGD", to: "JPY", amount: "999999999999" }, "amount_too_large"],
  ];
  for (const amount of ["", "1e3", "-1", "01", ".5", "1.", "１", "1234567890123"]) {
    refused.push([{ from: "SGD", to: "JPY", amount }, "decimal_malformed"]);
  }
  for (const [wish, code] of refused) {
    assert.throws(() => quote(board, wish), { name: "QuoteError", code }, JSON.stringify(wish));
  }
});

test("an expired board offers no conversion, not even of the same currency", () => {
  const confirmed_at = "2026-01-01T00:00:00.000000Z";
  const old = { ...board, valid_for_hours: 24, rates: [{ ...rate, confirmed_at }] };
  const wish = { from: "SGD", to: "SGD", amount: "1" } as const;

  assert.equal(quote(old, wish, new Date("2026-01-03T23:59:59Z")).reason, null);
  assert.equal(quote(old, wish, new Date("2026-01-04T00:00:00Z")).reason, "not_offered");
});

test("the effective rate has ten significant digits at any magnitude", () => {
  const rates = [
    { currency: "USD", unit: 1, we_buy: "999999999999.9999999999", we_sell: "999999999999.9999999999" },
    { currency: "EUR", unit: 10_000, we_buy: "0.0000000001", we_sell: "0.0000000001" },
    { currency: "GBP", unit: 1, we_buy: "1.0000000005", we_sell: "1.0000000005" },
    { currency: "KWD", unit: 10, we_buy: "9.9999999999", we_sell: "9.9999999999" },
  ];
  const extreme = { base_currency: "SGD", rates };
  const rateOf = (from: string, to: string) => {
    return quote(extreme, { from, to, amount: "0.01" }).effective_rate;
  };

  assert.equal(rateOf("EUR", "USD"), "0.00000000000000000000000001000000000");
  assert.equal(rateOf("USD", "SGD"), "1000000000000");
  assert.equal(rateOf("GBP", "SGD"), "1.000000000"); // a tie, to even
  assert.equal(rateOf("KWD", "SGD"), "1.000000000");
  assert.equal(rateOf("SGD", "KWD"), "1.000000000");
});
