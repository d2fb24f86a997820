// The gateway's own counters in Prometheus' text form.

const HELP: Readonly<Record<string, string>> = {
  eider_gateway_connections_total: "Connections of clients.",
  eider_gateway_held_requests_total: "Requests that waited for a pod.",
  eider_gateway_queue_full_total: "Requests refused because too many waited for their revision.",
  eider_gateway_retries_total: "Attempts beyond the first one of a request.",
  eider_gateway_timeouts_total: "Requests that ran out of time.",
  eider_gateway_clients_gone_total: "Requests whose client left before the end.",
  eider_gateway_malformed_requests_total: "What was no valid request.",
  eider_gateway_bytes_total: "Octets of bodies, by direction.",
  eider_gateway_requests_total: "Responses, by class of status.",
  eider_gateway_cold_start_seconds: "Duration of cold starts, by part and in total.",
  eider_gateway_log_lines_dropped_total: "Lines of the access log and the request log that could not be written.",
  eider_gateway_traces_dropped_total: "Traced requests that were not told because there were too many.",
};

/** `samples` are name with labels → value; those of one name follow each other, and a histogram's. */
export function counterText(samples: ReadonlyMap<string, number>): string {
  let text = "";
  let family = "";
  for (const [sample, value] of samples) {
    const { name, type } = familyOf(sample);
    if (name !== family) text += `# HELP ${name} ${HELP[name] ?? `${name.replaceAll("_", " ")}.`}\n# TYPE ${name} ${type}\n`;
    family = name;
    text += `${sample} ${value}\n`;
  }
  return text;
}

/** Whether it only ever grows: what a thread that died had counted still counts. */
export function isCumulative(sample: string): boolean {
  return familyOf(sample).type !== "gauge";
}

function familyOf(sample: string): { readonly name: string; readonly type: "counter" | "gauge" | "histogram" } {
  const brace = sample.indexOf("{");
  const name = brace < 0 ? sample : sample.slice(0, brace);
  const part = /_(?:bucket|sum|count)$/.exec(name);
  if (part !== null) return { name: name.slice(0, part.index), type: "histogram" };
  return { name, type: name.endsWith("_total") ? "counter" : "gauge" };
}
