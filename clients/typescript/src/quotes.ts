/** Converts amounts by a board's rates exactly as the server does, without a request. */
import Big from "big.js";
import { minorUnits } from "./generated/currencies.gen.js";
import type { Exchange, Quote, QuoteLeg, Rate } from "./generated/types.gen.js";

/** The needed fields of an `Exchange`, as the API returns it. */
export interface QuotedBoard extends Pick<Exchange, "base_currency"> {
  valid_for_hours?: Exchange["valid_for_hours"];
  rates: readonly QuotedRate[];
}

export type QuotedRate = Pick<Rate, "currency" | "unit" | "we_buy" | "we_sell"> &
  Partial<Pick<Rate, "min_amount" | "max_amount" | "confirmed_at">>;

/** A conversion, by the amount to pay (`amount`) or the amount to receive (`toAmount`). */
export type Wish = { from: string; to: string } & (
  | { amount: string; toAmount?: never }
  | { toAmount: string; amount?: never }
);

/** The server's `Quote` without the fields that only the server knows. */
export type LocalQuote = Omit<Quote, "legs" | "as_of" | "state"> & {
  legs: Omit<QuoteLeg, "confirmed_at">[];
};

/** The server returns the same codes with 422. */
export type QuoteErrorCode =
  | "one_amount"
  | "currency_unknown"
  | "decimal_malformed"
  | "decimal_zero"
  | "too_many_decimals"
  | "amount_too_large";

/** Invalid input. A valid conversion that the board does not offer is a quote with a `reason`. */
export class QuoteError extends RangeError {
  override readonly name = "QuoteError";

  constructor(readonly code: QuoteErrorCode, message: string) {
    super(message);
  }
}

const DECIMAL = /^(0|[1-9][0-9]{0,11})(\.[0-9]{1,10})?$/;
const FIRST_TOO_LARGE = new Big("1e12");
const SIGNIFICANT_DIGITS = 10;
const EXPIRES_AFTER = 3; // as a multiple of `valid_for_hours`
const HOUR = 3_600_000;

/** An undivided quotient, so that the result is rounded only once. */
interface Ratio {
  top: Big;
  bottom: Big;
}

interface Leg {
  rate: QuotedRate;
  side: "we_buy" | "we_sell";
  number: string;
}

/**
 * Convert by a board's rates; throws `QuoteError`.
 *
 *     quote(board, { from: "SGD", to: "JPY", amount: "500" }).to_amount; // "54740"
 *     quote(board, { from: "SGD", to: "JPY", toAmount: "50000" }).from_amount; // "456.70"
 */
export function quote(board: QuotedBoard, wish: Wish, moment: Date = new Date()): LocalQuote {
  const given = givenAmount(wish);
  const isPaid = wish.amount !== undefined;
  const digits = digitsOf(isPaid ? wish.to : wish.from);
  const mode = isPaid ? "down" : "up";
  const nothing: LocalQuote = {
    from: wish.from,
    to: wish.to,
    from_amount: wish.amount ?? null,
    to_amount: wish.toAmount ?? null,
    feasible: false,
    reason: "not_offered",
    effective_rate: null,
    legs: [],
    rounding: { mode, increment: powerOfTen(-digits).toFixed() },
  };
  const legs = isExpired(board, moment) ? undefined : legsOf(board, wish);
  if (legs === undefined) return nothing;

  const factor = factorOf(legs);
  const exact = isPaid
    ? { top: given.times(factor.top), bottom: factor.bottom }
    : { top: given.times(factor.bottom), bottom: factor.top };
  const computed = divided(exact, digits, isPaid ? Big.roundDown : Big.roundUp);
  if (computed.gte(FIRST_TOO_LARGE)) {
    throw new QuoteError("amount_too_large", "The amount must be less than 1,000,000,000,000.");
  }
  const from = isPaid ? given : computed;
  const to = isPaid ? computed : given;
  const reason = reasonAgainst(legs, wish, from, to);
  const amount = reason === null ? computed.toFixed(digits) : null;
  return {
    ...nothing,
    ...(isPaid ? { to_amount: amount } : { from_amount: amount }),
    feasible: reason === null,
    reason,
    effective_rate: significant(factor),
    legs: legs.map(({ rate, side, number }) => {
      return { currency: rate.currency, side, rate: number, unit: rate.unit };
    }),
  };
}

function givenAmount(wish: Wish): Big {
  const { amount, toAmount } = wish;
  const text = amount ?? toAmount;
  if (text === undefined || (amount !== undefined && toAmount !== undefined)) {
    throw new QuoteError("one_amount", "Give either amount or toAmount.");
  }
  // JavaScript callers may pass a number, which may be rounded already.
  if (typeof text !== "string" || !DECIMAL.test(text)) {
    throw new QuoteError(
      "decimal_malformed",
      "Enter a number with at most 12 digits before and 10 after the point.",
    );
  }
  const given = new Big(text);
  if (given.eq(0)) throw new QuoteError("decimal_zero", "The amount must be greater than zero.");
  const decimals = text.split(".")[1]?.length ?? 0;
  if (decimals > digitsOf(amount === undefined ? wish.to : wish.from)) {
    throw new QuoteError(
      "too_many_decimals",
      "The amount has more decimals than the currency.",
    );
  }
  return given;
}

function digitsOf(currency: string): number {
  const digits = minorUnits.get(currency);
  if (digits === undefined) {
    throw new QuoteError("currency_unknown", "This currency is not in circulation.");
  }
  return digits;
}

/** All lines of a board are confirmed together, so the first one decides. */
function isExpired({ valid_for_hours, rates }: QuotedBoard, moment: Date): boolean {
  const confirmed = rates[0]?.confirmed_at;
  if (confirmed === undefined || valid_for_hours === undefined) return false;
  return moment.getTime() - Date.parse(confirmed) >= EXPIRES_AFTER * valid_for_hours * HOUR;
}

/** The lines that the conversion uses; undefined if one is missing. */
function legsOf(board: QuotedBoard, wish: Wish): Leg[] | undefined {
  if (wish.from === wish.to) return [];
  const legs: Leg[] = [];
  for (const [currency, side] of [[wish.from, "we_buy"], [wish.to, "we_sell"]] as const) {
    if (currency === board.base_currency) continue;
    const rate = board.rates.find((line) => line.currency === currency);
    const number = rate?.[side];
    if (rate === undefined || number === undefined || number === null) return;
    legs.push({ rate, side, number });
  }
  return legs;
}

/** The rate, `to` per `from`. */
function factorOf(legs: Leg[]): Ratio {
  let top = new Big(1);
  let bottom = new Big(1);
  for (const { rate, side, number } of legs) {
    if (side === "we_buy") {
      top = top.times(number);
      bottom = bottom.times(rate.unit);
    } else {
      top = top.times(rate.unit);
      bottom = bottom.times(number);
    }
  }
  return { top, bottom };
}

function reasonAgainst(legs: Leg[], wish: Wish, from: Big, to: Big): LocalQuote["reason"] {
  const limited = legs.map(({ rate }) => ({
    amount: rate.currency === wish.from ? from : to,
    min: rate.min_amount ?? null,
    max: rate.max_amount ?? null,
  }));
  if (limited.some(({ amount, min }) => min !== null && amount.lt(min))) return "below_min";
  if (limited.some(({ amount, max }) => max !== null && amount.gt(max))) return "above_max";
  return to.eq(0) ? "too_small" : null;
}

/** The number with ten significant digits, rounded half to even, with trailing zeros. */
function significant(ratio: Ratio): string {
  const places = SIGNIFICANT_DIGITS - 1 - magnitudeOf(ratio);
  const steps = divided(shifted(ratio, places), 0, Big.roundHalfEven);
  // 9.9999999999 becomes 10.00000000, whose tenth digit is one place further left.
  const carried = steps.gte(powerOfTen(SIGNIFICANT_DIGITS)) ? 1 : 0;
  return steps.times(powerOfTen(-places)).toFixed(Math.max(places - carried, 0));
}

/** The exponent of the first digit: 2 of 123.4, -3 of 0.001. */
function magnitudeOf({ top, bottom }: Ratio): number {
  const roughly = top.e - bottom.e;
  return top.lt(bottom.times(powerOfTen(roughly))) ? roughly - 1 : roughly;
}

function shifted({ top, bottom }: Ratio, places: number): Ratio {
  return { top: top.times(powerOfTen(places)), bottom };
}

function powerOfTen(exponent: number): Big {
  return new Big(`1e${exponent}`);
}

/** The quotient with `places` decimals; the library rounds the exact quotient once. */
function divided({ top, bottom }: Ratio, places: number, mode: 0 | 1 | 2 | 3): Big {
  const Rounding = Big();
  Rounding.DP = places;
  Rounding.RM = mode;
  return new Rounding(top).div(bottom);
}
