// Labels as Prometheus' text form has them, between braces.
const NOT_PLAIN = /[\\"\n]/;

export function escaped(value: string): string {
  return NOT_PLAIN.test(value) ? value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`)) : value;
}

/** `name="value",…`, without the braces. Made for every observation, so that it makes nothing but the text. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  let text = "";
  for (const name of Object.keys(labels)) text += `${text === "" ? "" : ","}${name}="${escaped(labels[name] ?? "")}"`;
  return text;
}
