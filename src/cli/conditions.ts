// What lists and waits read from conditions.
import type { Condition } from "#schema";

export interface ReadyView {
  /** True, False or Unknown; "<unknown>" when there is no Ready condition. */
  readonly ready: string;
  /** `Reason : Message` for what is not True. */
  readonly reason: string;
  /** `3 OK / 3`. */
  readonly conditions: string;
}

export function readyView(conditions: readonly Condition[] | undefined): ReadyView {
  const all = conditions ?? [];
  const ready = all.find((condition) => condition.type === "Ready");
  const why = ready === undefined || ready.status === "True" ? [] : [ready.reason, ready.message].filter((text) => text !== undefined && text !== "");
  return {
    ready: ready?.status ?? "<unknown>",
    reason: why.join(" : "),
    conditions: `${all.filter((condition) => condition.status === "True").length} OK / ${all.length}`,
  };
}
