export { type ClientOptions, Client, createClient } from "./client.js";
export type * from "./generated/types.gen.js";
export { type ListOptions, type Page, type PageRequest, List, paginate } from "./pages.js";
export {
  type AnyProblem,
  type ProblemCode,
  type ValidationCode,
  ProblemError,
  UnexpectedAnswer,
  isProblem,
  isTransportProblem,
} from "./problems.js";
export {
  type LocalQuote,
  type QuotedBoard,
  type QuotedRate,
  type QuoteErrorCode,
  type Wish,
  QuoteError,
  quote,
} from "./quotes.js";
export type {
  BoardEvents,
  NotificationEvents,
  StreamEvent,
  StreamOptions,
} from "./streams.js";
