// The event that the bench of events sends: 1,000 octets of JSON that begin with the moment at which it was sent.

export const BODY_BYTES = 1_000;
const BEGIN = '{"sentMs":';
/** As long for every moment of this century. */
const DIGITS = 17;

/** Of all processes on the machine. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** Octets that are written into with each event; ASCII throughout. */
export function eventBody(): Buffer {
  const head = `${BEGIN}${stamp(0)},"text":"`;
  return Buffer.from(`${head}${"x".repeat(BODY_BYTES - head.length - 2)}"}`, "latin1");
}

/** Where the moment stands in the body. */
export const STAMP_AT = BEGIN.length;

export const stamp = (sentMs: number): string => sentMs.toFixed(3).padStart(DIGITS, " ");

/** The moment in a body that begins at `at`. */
export const sentMsIn = (octets: Buffer, at: number): number => Number(octets.toString("latin1", at + STAMP_AT, at + STAMP_AT + DIGITS));

/** Attributes of an event, as names of headers and their values. */
export const attributesOf = (id: string): readonly (readonly [name: string, value: string])[] => [
  ["ce-specversion", "1.0"],
  ["ce-id", id],
  ["ce-source", "/bench/producers/1"],
  ["ce-type", "dev.eider.bench.measured"],
  ["ce-subject", "one-of-many"],
];
