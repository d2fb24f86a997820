// Kinds of users: their definitions are followed, and what they stand for is served.
import { served, type ApiServer, type ServedKind } from "#apiserver";
import type { Client, InformerSet } from "#client";
import { followDefinitions, type Definitions } from "#controllers";
import { StatusError, type Clock, type Logger, type Rng } from "#core";
import { CustomResourceDefinition, definitionAdmission, definitionErrors, onDefinitionDeletion, type ConvertCustom, type CustomVersion } from "#kinds";
import { crdFor, type Draft, type Engines, type Kind } from "#schema";

const nameOf = ({ plural, group }: Pick<Kind, "plural" | "group">): string => `${plural}.${group}`;

export interface CustomKindsOptions {
  readonly api: Pick<ApiServer, "serveCustom">;
  /** What is served anyway. */
  readonly kinds: readonly Kind[];
  readonly informers: InformerSet;
  readonly client: Client;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** What all of them are served with besides. */
  readonly with?: (kind: ServedKind) => ServedKind;
  readonly convert: (definition: CustomResourceDefinition) => ConvertCustom;
}

/** The kind of definitions itself; those of `own` kinds are for the user `platform` to write. */
export function definitionKind(own: readonly Kind[], { platform, engines }: { readonly platform: string; readonly engines: Engines }): ServedKind {
  return served({
    kind: { ...CustomResourceDefinition, validate: (definition, old) => definitionErrors(definition, old, engines) },
    admit: definitionAdmission({ own: new Set(own.filter(({ custom }) => custom).map(nameOf)), platform }),
    beginDeletion: onDefinitionDeletion,
  });
}

export function serveDefinitions(options: CustomKindsOptions): Definitions {
  const known = new WeakMap<CustomVersion, ServedKind>();
  const { with: complete = (kind) => kind } = options;
  const servedOf = (version: CustomVersion): ServedKind => {
    const made =
      known.get(version) ??
      complete({
        ...version,
        admit: ({ object, operation, subresource }) => {
          if (operation === "CREATE" && subresource === "" && definitions.isTerminating(nameOf(version.kind))) {
            throw new StatusError("MethodNotAllowed", "create not allowed while custom resource definition is terminating");
          }
          return { object, warnings: [] };
        },
      });
    known.set(version, made);
    return made;
  };
  const definitions = followDefinitions({
    ...options,
    own: new Set(options.kinds.map(nameOf)),
    serve: (versions) => options.api.serveCustom(versions.map(servedOf)),
  });
  return definitions;
}

/** Shows our own custom kinds as definitions, as they are in this release. */
export async function ensureDefinitions(client: Client, kinds: readonly Kind[], nowMs: number): Promise<void> {
  const isStored = ({ version, storageVersion }: Kind): boolean => storageVersion === undefined || storageVersion === version;
  for (const kind of kinds.filter((each) => each.custom && isStored(each))) {
    const others = kinds.filter(({ group, plural, version }) => group === kind.group && plural === kind.plural && version !== kind.version);
    const wanted = crdFor(kind, nowMs, others) as unknown as CustomResourceDefinition;
    const { creationTimestamp: _, generation: __, ...metadata } = wanted.metadata;
    const draft = { ...wanted, metadata } as Draft<CustomResourceDefinition>;
    const current = await client.find(CustomResourceDefinition, "", wanted.metadata.name);
    if (current === undefined) await client.create(CustomResourceDefinition, draft);
    else {
      const labels = { ...current.metadata.labels, ...metadata.labels };
      const annotations = { ...current.metadata.annotations, ...metadata.annotations };
      const marked = { ...current.metadata, labels, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
      await client.update(CustomResourceDefinition, { ...current, metadata: marked, spec: wanted.spec });
    }
  }
}
