// gateway: the data path: routes, holds, limits and proxies requests; runs in threads of its own and talks by messages.
export { Backend } from "./pods/backend.ts";
export { Doorbell, doorbellBytes } from "./shared/doorbell.ts";
export { createGateway, type Gateway, type GatewayOptions } from "./gateway.ts";
export { Borrower, type BorrowerWord } from "./lent/borrower.ts";
export { Lender, type Borrowed, type LenderWord } from "./lent/lender.ts";
export { turnsBytes } from "./shared/split.ts";
export { inFlightBytes, InFlightTable } from "./shared/in-flight.ts";
export { Recovery } from "./shared/recovery.ts";
export { counterText, isCumulative } from "./observe/counter-text.ts";
export { RequestTotals } from "./observe/request-totals.ts";
export { spansOf } from "./observe/request-spans.ts";
