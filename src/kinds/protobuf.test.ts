// The protobuf of Kubernetes' own kinds: recordings come out byte for byte, every type survives the way there and back.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { below, float, SeededRng, type Rng } from "#core";
import { compileKind, envelope, openEnvelope, protobufCodec, watchFrame, type Kind, type Node } from "#schema";
import { definitions as extensions } from "./apiextensions/definitions.ts";
import { definitions as apps } from "./apps/definitions.ts";
import { definitions as coordination } from "./coordination/definitions.ts";
import { definitions as discovery } from "./discovery/definitions.ts";
import { Pod } from "./index.ts";

const golden = (name: string): Buffer => readFileSync(new URL(`../../test/golden/kubernetes-api/${name}`, import.meta.url));

const pods = compileKind(Pod);
const definitions: Readonly<Record<string, Node>> = { ...apps, ...coordination, ...discovery, ...extensions };

/** The body of a recorded answer, opened and closed again. */
function again(codec: ReturnType<typeof protobufCodec>, body: Uint8Array): Uint8Array {
  const { type, message } = openEnvelope(body);
  return envelope(type, [codec.encode(codec.decode(message))]);
}

const podCodec = protobufCodec(pods.root, pods.definitions);

/** `metav1.WatchEvent`; the object's bytes are those of a body. */
const watchEvent = protobufCodec({
  type: "object",
  properties: {
    type: { type: "string", "x-eider-proto": 1 },
    object: { type: "object", properties: { raw: { type: "string", format: "byte", "x-eider-proto": 1 } }, "x-eider-proto": 2 },
  },
});

function framesOf(stream: Buffer): { type: string; object: Buffer; bytes: Buffer }[] {
  const frames = [];
  for (let at = 0; at < stream.length;) {
    const end = at + 4 + stream.readUInt32BE(at);
    const { type, object } = watchEvent.decode(stream.subarray(at + 4, end)) as { type: string; object: { raw: string } };
    frames.push({ type, object: Buffer.from(object.raw, "base64"), bytes: stream.subarray(at, end) });
    at = end;
  }
  return frames;
}

test("a recorded Pod is read and written byte for byte", () => {
  assert.deepEqual(again(podCodec, golden("pod.pb")), golden("pod.pb"));
});

test("a recorded Pod, decoded as a request's body is, still makes the same bytes", () => {
  const { type, message } = openEnvelope(golden("pod.pb"));
  const { object, warnings } = pods.decode({ ...type, ...podCodec.decode(message) }, { fieldValidation: "Strict" });
  assert.deepEqual(warnings, []);
  assert.equal((object as Pod).spec.containers[0]?.name, "c");
  assert.deepEqual(envelope(type, [podCodec.encode(JSON.parse(JSON.stringify(object)))]), golden("pod.pb"));
});

test("the frames of a recorded watch are read and written byte for byte", () => {
  const frames = framesOf(golden("watch-pb.bin"));
  assert.ok(frames.length > 1);
  for (const { type, object, bytes } of frames) assert.deepEqual(watchFrame(type, again(podCodec, object)), bytes);
});

const TEXTS = ["", "a", "Grüße", "日本語 🙂", "x".repeat(200), "__proto__", '\u0000\t"\\'];
const NUMBERS = [0, 1, -1, 127, 128, 300, 65_535, 2_147_483_647, -2_147_483_648];
const LARGE = [...NUMBERS, 4_294_967_296, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
const QUANTITIES = ["0", "1", "100m", "1500m", "2Gi", "1k", "12M"];

/** Random values of types, as JSON; the deeper, the fewer properties. */
class Values {
  readonly #rng: Rng;

  constructor(seed: number) {
    this.#rng = new SeededRng(seed);
  }

  #one<T>(of: readonly T[]): T {
    return of[below(this.#rng, of.length)] as T;
  }

  #text(format: string | undefined): string {
    const seconds = new Date((below(this.#rng, 4_000_000_000) - 1_000_000_000) * 1000).toISOString().slice(0, 19);
    if (format === "date-time") return `${seconds}Z`;
    if (format === "micro-time") return `${seconds}.${String(below(this.#rng, 1_000_000)).padStart(6, "0")}Z`;
    if (format === "byte") return Buffer.from(this.#one(TEXTS)).toString("base64");
    return this.#one(TEXTS);
  }

  #or({ "x-eider-or": or, ...node }: Node, depth: number): unknown {
    if (float(this.#rng) < 0.5) return this.of(node, depth);
    return or === "boolean" ? this.#one([true, false]) : or === "array" ? [this.of(node, depth)] : [this.#one(TEXTS)];
  }

  of(node: Node, depth = 0): unknown {
    if (node["x-eider-or"] !== undefined) return this.#or(node, depth);
    // Types that hold themselves come to an end.
    if (node.$ref !== undefined) return depth > 4 ? {} : this.of(definitions[node.$ref] ?? {}, depth);
    if (node["x-kubernetes-preserve-unknown-fields"] === true) return { "f:spec": { "f:replicas": {} } };
    if (node["x-kubernetes-int-or-string"] === true) return this.#one(node.format === "quantity" ? QUANTITIES : [...NUMBERS, ...TEXTS]);
    const { additionalProperties } = node;
    if (additionalProperties !== undefined)
      return Object.fromEntries(TEXTS.slice(0, below(this.#rng, 4)).map((key) => [key, this.of(additionalProperties, depth + 1)]));
    switch (node.type) {
      case "array":
        return Array.from({ length: below(this.#rng, 3) }, () => this.of(node.items ?? {}, depth + 1));
      case "integer":
        return this.#one(node.format === "int32" ? NUMBERS : LARGE);
      case "number":
        return this.#one([0, 0.5, -1.25, 1e300]);
      case "boolean":
        return this.#one([true, false]);
      case "string":
        return this.#text(node.format);
      default: {
        const chosen = Object.entries(node.properties ?? {}).filter(() => float(this.#rng) < 0.8 / (depth + 1));
        return Object.fromEntries(chosen.map(([name, child]) => [name, this.of(child, depth + 1)]));
      }
    }
  }
}

/** A kind whose objects hold one value of the named type. */
function holderOf(name: string, types: Readonly<Record<string, Node>>): Kind {
  const schema: Node = { type: "object", properties: { held: { $ref: name, "x-eider-pointer": true, "x-eider-proto": 2 } } };
  return { ...(Pod as unknown as Kind), kind: "Holder", schema, definitions: types };
}

/** JSON → protobuf → JSON, both sides as typed decoding leaves them. */
function roundTrip(name: string, value: unknown, reading: Readonly<Record<string, Node>> = definitions): { before: unknown; after: unknown } {
  const written = compileKind(holderOf(name, definitions));
  const read = compileKind(holderOf(name, reading));
  const decode = (json: unknown): unknown => written.decode(json, { fieldValidation: "Strict" }).object;
  const before = decode({ apiVersion: "v1", kind: "Holder", metadata: {}, held: value });
  const bytes = written.protobuf?.encode(before) ?? new Uint8Array();
  return { before, after: decode({ apiVersion: "v1", kind: "Holder", ...read.protobuf?.decode(bytes) }) };
}

test("every type comes back from protobuf as it went in", () => {
  const names = Object.keys(definitions);
  assert.ok(names.length > 150);
  for (const [index, name] of names.entries()) {
    for (let round = 0; round < 5; round++) {
      const value = new Values(index * 100 + round).of({ $ref: name });
      const { before, after } = roundTrip(name, value);
      assert.deepEqual(after, before, `${name}, seed ${index * 100 + round}`);
    }
  }
});

test("an object larger than the writer's first buffers comes back whole, wherever they end", () => {
  for (let size = 4000; size < 4200; size++) {
    const env = [{ name: "a", value: "x".repeat(size) }, { name: "b", value: "y".repeat(3 * size) }, { name: "ü".repeat(size) }];
    const { before, after } = roundTrip("io.k8s.api.core.v1.Container", { name: "c", env, stdin: true });
    assert.deepEqual(after, before);
  }
});

test("the round trip finds two numbers that are exchanged", () => {
  const name = "io.k8s.api.core.v1.ContainerPort";
  const type = definitions[name];
  const { hostPort, containerPort } = type?.properties ?? {};
  const properties = { ...type?.properties, hostPort: { ...containerPort }, containerPort: { ...hostPort } };
  const wrong = { ...definitions, [name]: { ...type, properties } };
  const { before, after } = roundTrip(name, { containerPort: 8080, protocol: "TCP" }, wrong as Readonly<Record<string, Node>>);
  assert.notDeepEqual(after, before);
});
