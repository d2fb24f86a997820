// All definitions as they are now, and the kinds that each stands for.
import { customVersionsOf, type ConvertCustom, type CustomResourceDefinition, type CustomVersion } from "#kinds";
import type { Kind } from "#schema";
import { isTrue } from "./conditions.ts";

export interface DefinitionRow {
  readonly definition: CustomResourceDefinition;
  /** What of the definition decides how its kind is served; "" when it is not. */
  readonly form: string;
  readonly versions: readonly CustomVersion[];
}

export interface DefinitionRowsOptions {
  /** Names of definitions whose kinds are served anyway, in another way. */
  readonly own: ReadonlySet<string>;
  /** Asks the webhook of a definition. */
  readonly convert: (definition: CustomResourceDefinition) => ConvertCustom;
}

const groupOf = (name: string): string => name.slice(name.indexOf(".") + 1);

/** A kind is served from the moment its names are its own, until its definition is gone. */
function formOf(definition: CustomResourceDefinition): string {
  const { metadata, status } = definition;
  const isServed = isTrue(definition, "Established") || isTrue(definition, "NamesAccepted");
  return isServed ? JSON.stringify([metadata.uid, metadata.generation, status?.acceptedNames]) : "";
}

/** The kind in the version that is stored; undefined when it is not served. */
export function storageKind({ definition, versions }: DefinitionRow): Kind | undefined {
  const name = definition.spec.versions.find(({ storage }) => storage)?.name;
  return (versions.find(({ kind }) => kind.version === name) ?? versions[0])?.kind;
}

export class DefinitionRows {
  readonly #options: DefinitionRowsOptions;
  readonly #rows = new Map<string, DefinitionRow>();

  constructor(options: DefinitionRowsOptions) {
    this.#options = options;
  }

  get(name: string): DefinitionRow | undefined {
    return this.#rows.get(name);
  }

  get versions(): readonly CustomVersion[] {
    return [...this.#rows.values()].flatMap((row) => row.versions);
  }

  get kinds(): readonly Kind[] {
    return [...this.#rows.values()].flatMap((row) => storageKind(row) ?? []);
  }

  /** The other definitions of the same group. */
  others(name: string): readonly CustomResourceDefinition[] {
    const group = groupOf(name);
    return [...this.#rows.values()].map((row) => row.definition).filter(({ metadata }) => metadata.name !== name && groupOf(metadata.name) === group);
  }

  /** Takes a definition in, or forgets it; true when other kinds are to be served than before. */
  set(name: string, definition: CustomResourceDefinition | undefined): boolean {
    const before = this.#rows.get(name);
    if (definition === undefined) this.#rows.delete(name);
    else this.#rows.set(name, this.#rowOf(definition, before));
    return (before?.form ?? "") !== (this.#rows.get(name)?.form ?? "");
  }

  #rowOf(definition: CustomResourceDefinition, before: DefinitionRow | undefined): DefinitionRow {
    const form = this.#options.own.has(definition.metadata.name) ? "" : formOf(definition);
    if (before?.form === form) return { ...before, definition };
    if (form === "") return { definition, form, versions: [] };
    const names = definition.status?.acceptedNames ?? definition.spec.names;
    const convert = definition.spec.conversion?.strategy === "Webhook" ? this.#options.convert(definition) : undefined;
    return { definition, form, versions: customVersionsOf({ ...definition, spec: { ...definition.spec, names } }, convert) };
  }
}
