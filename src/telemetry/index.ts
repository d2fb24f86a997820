// telemetry: metrics of the process and their text form.
export { MetricRegistry, type Labels } from "./registry.ts";
export { publishEventLoopDelay, type Delays } from "./event-loop-delay.ts";
