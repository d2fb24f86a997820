// Spans in OpenTelemetry's wire form: the request of its trace service (opentelemetry-proto 1.x), in protobuf.

export type SpanKind = "internal" | "server" | "client";
export type AttributeValue = string | number | boolean;
/** Numbers that are whole go as integers. Empty strings are left out. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface Span {
  /** Hexadecimal, 32 digits; span ids 16. */
  readonly traceId: string;
  readonly spanId: string;
  /** "" for none. */
  readonly parentId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** Wall-clock milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
}

const KINDS: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };
const STATUS_ERROR = 2;
const SAMPLED = 1;

type Piece = Uint8Array | readonly Piece[];

/** `ExportTraceServiceRequest` for spans of one resource and scope. */
export function encodeSpans(spans: readonly Span[], of: { readonly resource: Attributes; readonly scope: string; readonly version: string }): Buffer {
  const scope = message(1, [text(1, of.scope), text(2, of.version)]);
  const scopeSpans = message(2, [scope, ...spans.map((span) => message(2, spanFields(span)))]);
  return flat([message(1, [message(1, keyValues(1, of.resource)), scopeSpans])]);
}

function spanFields(span: Span): Piece[] {
  return [
    bytes(1, Buffer.from(span.traceId, "hex")),
    bytes(2, Buffer.from(span.spanId, "hex")),
    text(3, span.traceState),
    span.parentId === "" ? [] : bytes(4, Buffer.from(span.parentId, "hex")),
    text(5, span.name),
    varintField(6, KINDS[span.kind]),
    fixed64(7, nanos(span.startMs)),
    fixed64(8, nanos(span.endMs)),
    ...keyValues(9, span.attributes),
    span.failed ? message(15, [varintField(3, STATUS_ERROR)]) : [],
    fixed32(16, SAMPLED),
  ];
}

function keyValues(field: number, attributes: Attributes): Piece[] {
  return Object.entries(attributes).flatMap(([key, value]) => (value === "" ? [] : [message(field, [text(1, key), message(2, [anyValue(value)])])]));
}

function anyValue(value: AttributeValue): Piece {
  if (typeof value === "string") return text(1, value);
  if (typeof value === "boolean") return varintField(2, value ? 1 : 0);
  return Number.isSafeInteger(value) && value >= 0 ? varintField(3, value) : double(4, value);
}

function nanos(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

// Protobuf's wire format: a tag, which is the field's number and a wire type, and the value.

function varint(value: number): Uint8Array {
  const octets: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) octets.push((rest % 0x80) + 0x80);
  octets.push(rest);
  return Uint8Array.from(octets);
}

const tag = (field: number, wireType: number): Uint8Array => varint(field * 8 + wireType);

function varintField(field: number, value: number): Piece {
  return [tag(field, 0), varint(value)];
}

function bytes(field: number, value: Uint8Array): Piece {
  return [tag(field, 2), varint(value.length), value];
}

/** Texts come as latin1, one character an octet, and octets that are no UTF-8 are replaced: the wire form wants UTF-8. */
function text(field: number, value: string): Piece {
  if (value === "") return [];
  return bytes(field, Buffer.from(Buffer.from(value, "latin1").toString("utf8"), "utf8"));
}

function message(field: number, pieces: readonly Piece[]): Piece {
  return bytes(field, flat(pieces));
}

function fixed64(field: number, value: bigint): Piece {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64LE(value);
  return [tag(field, 1), octets];
}

function fixed32(field: number, value: number): Piece {
  const octets = Buffer.alloc(4);
  octets.writeUInt32LE(value);
  return [tag(field, 5), octets];
}

function double(field: number, value: number): Piece {
  const octets = Buffer.alloc(8);
  octets.writeDoubleLE(value);
  return [tag(field, 1), octets];
}

function flat(pieces: readonly Piece[]): Buffer {
  const parts: Uint8Array[] = [];
  const collect = (piece: Piece): void => {
    if (piece instanceof Uint8Array) parts.push(piece);
    else piece.forEach(collect);
  };
  pieces.forEach(collect);
  return Buffer.concat(parts);
}
