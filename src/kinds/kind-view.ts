// An older version of a kind: another view of the same objects, which are stored in one version.
import { apiVersionOf, type Kind, type KubeObject } from "#schema";

/** A view of a kind, and how it is made of stored texts and back. */
export interface KindView {
  readonly kind: Kind;
  readonly stored: { readonly read: (texts: readonly string[]) => readonly string[]; readonly write: (text: string) => string };
}

type Change = (object: KubeObject) => KubeObject;

const same: Change = (object) => object;

/** The view `kind` of `stored`; conversions get and give objects of either version, apiVersions are theirs already. */
export function viewOf(kind: Kind, stored: Kind, { read = same, write = same }: { readonly read?: Change; readonly write?: Change } = {}): KindView {
  const as = (version: string, change: Change, text: string): string => JSON.stringify(change({ ...(JSON.parse(text) as KubeObject), apiVersion: version }));
  return {
    kind,
    stored: {
      read: (texts) => texts.map((text) => as(apiVersionOf(kind), read, text)),
      write: (text) => as(apiVersionOf(stored), write, text),
    },
  };
}
