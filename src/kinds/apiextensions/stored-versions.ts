// How objects of a custom kind are stored: one version's text, converted to the others, and brought up to the schema of today.
import { assert } from "#core";
import { apiVersionOf, compileKind, type CompiledKind, type Kind, type KubeObject } from "#schema";
import { deprecationOf, kindOf } from "./custom-kinds.ts";
import type { CustomResourceDefinition } from "./v1.types.ts";

/** Converts objects of any versions to one version, in the same order; throws StatusErrors. */
export type Convert = (objects: readonly KubeObject[], apiVersion: string) => Promise<readonly KubeObject[]>;

/** One served version of a custom kind. */
export interface CustomVersion {
  readonly kind: Kind;
  readonly stored?: {
    read(texts: readonly string[]): readonly string[] | Promise<readonly string[]>;
    write?(text: string): string | Promise<string>;
  };
  /** What clients of a deprecated version are told. */
  readonly warning?: string;
}

const DECODE = { fieldValidation: "Ignore" } as const;

/** The versions of one kind by apiVersion, each compiled when it is first met. */
class Versions {
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #compiled = new Map<string, CompiledKind>();
  /** The apiVersion that is stored. */
  readonly storage: string;

  constructor(kinds: readonly Kind[], storage: string) {
    this.#kinds = new Map(kinds.map((kind) => [apiVersionOf(kind), kind]));
    this.storage = storage;
  }

  kind(apiVersion: string): Kind {
    const kind = this.#kinds.get(apiVersion);
    assert(kind !== undefined, `no version ${apiVersion}`);
    return kind;
  }

  /** Versions that nobody knows any more count as the one that is stored. */
  compiled(apiVersion: string): CompiledKind {
    const known = this.#kinds.has(apiVersion) ? apiVersion : this.storage;
    const made = this.#compiled.get(known) ?? compileKind(this.kind(known));
    this.#compiled.set(known, made);
    return made;
  }
}

/** Without a webhook the versions differ in their name only. */
const renamed: (objects: readonly KubeObject[], apiVersion: string) => readonly KubeObject[] = (objects, apiVersion) =>
  objects.map((object) => (object.apiVersion === apiVersion ? object : { ...object, apiVersion }));

function readerOf(versions: Versions, apiVersion: string, { convert, trusted }: { convert: Convert | undefined; trusted: boolean }) {
  const head = `{"apiVersion":${JSON.stringify(apiVersion)},`;
  const fresh = (text: string): KubeObject => {
    const object = JSON.parse(text) as KubeObject;
    const compiled = versions.compiled(object.apiVersion);
    return compiled.applyDefaults(compiled.decode(object, DECODE).object);
  };
  const textOf = (object: KubeObject): string => {
    const pruned = versions.compiled(apiVersion).decode(object, DECODE).object;
    return JSON.stringify({ ...pruned, apiVersion });
  };
  return (texts: readonly string[]): readonly string[] | Promise<readonly string[]> => {
    const isFine = (text: string): boolean => trusted && text.startsWith(head);
    if (texts.every(isFine)) return texts;
    const old = texts.map((text) => (isFine(text) ? undefined : fresh(text)));
    const put = (made: readonly KubeObject[]): readonly string[] => {
      let next = 0;
      return texts.map((text, at) => (old[at] === undefined ? text : textOf(made[next++] as KubeObject)));
    };
    const objects = old.filter((object) => object !== undefined);
    const foreign = objects.some((object) => object.apiVersion !== apiVersion);
    return convert === undefined || !foreign ? put(renamed(objects, apiVersion)) : convert(objects, apiVersion).then(put);
  };
}

function writerOf(versions: Versions, convert: Convert | undefined): (text: string) => string | Promise<string> {
  const { storage } = versions;
  const textOf = (objects: readonly KubeObject[]): string => JSON.stringify(versions.compiled(storage).decode(objects[0], DECODE).object);
  return (text) => {
    const object = JSON.parse(text) as KubeObject;
    return convert === undefined ? textOf(renamed([object], storage)) : convert([object], storage).then(textOf);
  };
}

/**
 * The served versions of a definition. `convert` is the definition's webhook. While a definition is as it was made and
 * has one version, what is stored is what is served.
 */
export function versionsOf(definition: CustomResourceDefinition, convert: Convert | undefined): readonly CustomVersion[] {
  const { group, versions: all } = definition.spec;
  const storage = all.find((version) => version.storage)?.name ?? "";
  const kinds = all.map((version) => kindOf(definition, version));
  const versions = new Versions(kinds, `${group}/${storage}`);
  // What was written under this very schema needs no second look.
  const trusted = definition.metadata.generation === 1;
  return all
    .filter(({ served }) => served)
    .map((version) => {
      const apiVersion = `${group}/${version.name}`;
      const kind = versions.kind(apiVersion);
      const warning = deprecationOf(definition, version);
      const read = readerOf(versions, apiVersion, { convert, trusted });
      const plain = trusted && all.length === 1;
      const stored = version.storage ? { read } : { read, write: writerOf(versions, convert) };
      return { kind, ...(plain ? {} : { stored }), ...(warning === undefined ? {} : { warning }) };
    });
}

/** A kind of our own in another version than the one that is stored: the versions differ in their name and their schema. */
export function olderVersion(kind: Kind, storage: Kind): CustomVersion {
  const versions = new Versions([kind, storage], apiVersionOf(storage));
  const read = readerOf(versions, apiVersionOf(kind), { convert: undefined, trusted: true });
  return { kind, stored: { read, write: writerOf(versions, undefined) } };
}
