// The body of a watch: JSON lines, or frames of protobuf.
import { statusOf, type Logger } from "#core";
import { watchFrame } from "#schema";
import { PROTOBUF } from "./body.ts";
import { encodedOne, encodedStatus } from "./encode.ts";
import { shownEvent, type Rendering } from "./forms.ts";
import type { Frame } from "./frames.ts";
import type { Encoding } from "./negotiate.ts";
import { asStatusError } from "./responses.ts";

const IN_PROTOBUF: Encoding = { type: PROTOBUF, pretty: false };

function bytesOf(rendering: Rendering, frame: Frame, { type, columns }: { type: Encoding["type"]; columns: boolean }): Uint8Array {
  const shown = shownEvent(rendering, frame, columns);
  // Events are lines of JSON even for those who like it pretty.
  if (type !== PROTOBUF) return Buffer.from(`{"type":"${frame.type}","object":${shown.text}}\n`);
  return watchFrame(frame.type, encodedOne(shown, IN_PROTOBUF) as Uint8Array);
}

/** One event. What shows no times of its own is encoded once for all watchers who want it in the same form. */
function eventOf(rendering: Rendering, frame: Frame, as: { type: Encoding["type"]; columns: boolean }): Uint8Array {
  const { form } = rendering;
  if (form.as === "Table") return bytesOf(rendering, frame, as);
  const name = `${as.type} ${form.as === "Object" ? form.as : `${form.as} ${form.version}`}`;
  const bytes = frame.encoded.get(name) ?? bytesOf(rendering, frame, as);
  frame.encoded.set(name, bytes);
  return bytes;
}

/** The pieces of a watch. A failure after the status line was sent becomes an ERROR event, as in Kubernetes. */
export async function* watchBody(
  rendering: Rendering,
  { type }: Encoding,
  frames: AsyncIterable<readonly Frame[]>,
  tools: { readonly logger: Logger; readonly clock: { wallMs(): number } },
): AsyncGenerator<Uint8Array, void, void> {
  let columns = true;
  try {
    for await (const batch of frames) {
      const now = { ...rendering, nowMs: tools.clock.wallMs() };
      const events = batch.map((frame, index) => eventOf(now, frame, { type, columns: columns && index === 0 }));
      columns = false;
      yield events.length === 1 ? (events[0] as Uint8Array) : Buffer.concat(events);
    }
  } catch (error) {
    const failure = asStatusError(error, tools.logger);
    yield type === PROTOBUF
      ? watchFrame("ERROR", encodedStatus(failure, IN_PROTOBUF) as Uint8Array)
      : Buffer.from(`{"type":"ERROR","object":${JSON.stringify(statusOf(failure))}}\n`);
  }
}
