// Between EventTypes of v1beta3, which are stored, and those of v1beta2 and v1beta1. Nothing that a client wrote is lost.
import { equal, type KubeObject } from "#schema";
import type { KReference } from "../duck/reference.ts";

interface Attribute {
  readonly name: string;
  readonly required?: boolean;
  readonly value?: string;
}

/** What all versions say. */
interface Shared {
  readonly description?: string;
  readonly reference?: KReference;
}

interface Stored extends KubeObject {
  readonly spec?: Shared & { readonly attributes?: readonly Attribute[] };
}

interface Older extends KubeObject {
  readonly spec?: Shared & {
    readonly broker?: string;
    readonly schema?: string;
    readonly schemaData?: string;
    readonly source?: string;
    readonly type?: string;
  };
}

/** In annotations, what the other versions have no field for. */
const ATTRIBUTES = "eider.dev/event-attributes";
const SCHEMA_DATA = "eider.dev/schema-data";

/** What v1beta2 says of attributes, as v1beta3 does. */
function attributesOf({ type, source, schema }: NonNullable<Older["spec"]>): Attribute[] {
  const required = (name: string, value?: string): Attribute => ({ name, required: true, ...(value === undefined || value === "" ? {} : { value }) });
  const known = [required("specversion"), required("id"), required("type", type), required("source", source)];
  return schema === undefined || schema === "" ? known : [...known, { name: "schemadata", required: false, value: schema }];
}

function valueOf(attributes: readonly Attribute[], name: string): string | undefined {
  return attributes.find((attribute) => attribute.name === name)?.value;
}

function withAnnotations<O extends KubeObject>(object: O, set: Readonly<Record<string, string | undefined>>): O {
  const all = { ...object.metadata.annotations, ...set };
  const annotations = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const { annotations: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) } };
}

function kept(object: KubeObject): readonly Attribute[] {
  try {
    const value: unknown = JSON.parse(object.metadata.annotations?.[ATTRIBUTES] ?? "[]");
    const isAttribute = (each: unknown): each is Attribute =>
      typeof each === "object" && each !== null && typeof (each as Partial<Attribute>).name === "string";
    return Array.isArray(value) ? value.filter(isAttribute) : [];
  } catch {
    return [];
  }
}

const present = (shared: Shared): Shared => ({
  ...(shared.description === undefined ? {} : { description: shared.description }),
  ...(shared.reference === undefined ? {} : { reference: shared.reference }),
});

/** Attributes that v1beta2 cannot say are in an annotation there. */
export function eventTypeToV1Beta2(object: Stored): Older {
  const { attributes = [], ...shared } = object.spec ?? {};
  const said = Object.entries({ type: valueOf(attributes, "type"), source: valueOf(attributes, "source"), schema: valueOf(attributes, "schemadata") });
  const schemaData = object.metadata.annotations?.[SCHEMA_DATA];
  const spec: NonNullable<Older["spec"]> = {
    ...present(shared),
    ...Object.fromEntries(said.filter(([, value]) => value !== undefined)),
    ...(schemaData === undefined ? {} : { schemaData }),
  };
  const rest = equal(attributesOf(spec), attributes) ? undefined : JSON.stringify(attributes);
  return { ...withAnnotations(object, { [ATTRIBUTES]: rest, [SCHEMA_DATA]: undefined }), spec };
}

/** The old attributes that this version cannot say stay as they were; a Broker's name becomes a reference. */
export function eventTypeFromV1Beta2(object: Older): Stored {
  const { broker = "", schemaData, ...spec } = object.spec ?? {};
  const own = attributesOf(spec);
  const before = kept(object);
  const others = before.filter(({ name }) => !own.some((attribute) => attribute.name === name) && name !== "schemadata");
  const attributes = [...own.map((attribute) => ({ ...attribute, ...flagOf(before, attribute.name) })), ...others];
  const namespace = object.metadata.namespace;
  const named =
    broker === "" ? undefined : { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: broker, ...(namespace === undefined ? {} : { namespace }) };
  const reference = spec.reference ?? named;
  const shared = present({ ...spec, ...(reference === undefined ? {} : { reference }) });
  return { ...withAnnotations(object, { [ATTRIBUTES]: undefined, [SCHEMA_DATA]: schemaData }), spec: { ...shared, attributes } };
}

function flagOf(before: readonly Attribute[], name: string): { readonly required?: boolean } {
  const required = before.find((attribute) => attribute.name === name)?.required;
  return required === undefined ? {} : { required };
}
