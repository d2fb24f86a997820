// core: what every room may use and nothing else: time, chance, logs, errors, queues, durations. No IO, no kinds.
export { assert, unreachable } from "./assert.ts";
export { backoffMs, type BackoffPolicy } from "./backoff.ts";
export { rfc3339, type Clock } from "./clock.ts";
export { formatDurationMs, parseDurationMs, parseDurationNs } from "./duration.ts";
export { silentLogger, type LogFields, type Logger } from "./logger.ts";
export { below, float, nameSuffix, SeededRng, uuid, type Rng } from "./rng.ts";
export { SimClock } from "./sim-clock.ts";
export {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  forbidden,
  fromStatus,
  isReason,
  notFound,
  qualified,
  STATUS_CODES,
  StatusError,
  statusOf,
  type ResourceName,
  type Status,
  type StatusCause,
  type StatusDetails,
  type StatusReason,
  unknownFailure,
} from "./status-error.ts";
export { Lines } from "./lines.ts";
export type { Marks, MarksShelf } from "./marks.ts";
export { Parking } from "./parking.ts";
export { WorkQueue } from "./work-queue.ts";
export { parseTextTemplate, type TemplateObject, type TemplateValue, type TextTemplate } from "./go-template.ts";
export { TemplateFault } from "./template-fault.ts";
