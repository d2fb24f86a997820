// Terminal sizes as clients send them: JSON objects in a row.
import type { TerminalSize } from "./client-streams.ts";

const TEXT_LENGTH_MAX = 1_024;
const CELLS_MAX = 65_535;

function sizeOf(text: string): TerminalSize | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const fields = new Map(Object.entries(value as object).map(([name, each]) => [name.toLowerCase(), each as unknown]));
  const cells = (name: string): number => {
    const number = fields.get(name) ?? 0;
    return typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= CELLS_MAX ? number : Number.NaN;
  };
  const size = { width: cells("width"), height: cells("height") };
  return Number.isNaN(size.width) || Number.isNaN(size.height) ? undefined : size;
}

/** Every size of the stream, however it is cut. Ends at the first thing that is none. */
export async function* terminalSizes(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TerminalSize, void, void> {
  let text = "";
  for await (const chunk of bytes) {
    text += Buffer.from(chunk).toString("latin1");
    for (let end = text.indexOf("}"); end >= 0; end = text.indexOf("}")) {
      const size = sizeOf(text.slice(0, end + 1));
      if (size === undefined) return;
      text = text.slice(end + 1);
      yield size;
    }
    if (text.length > TEXT_LENGTH_MAX) return;
  }
}
