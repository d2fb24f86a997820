// What a SinkBinding puts into the containers of a workload, and how it is taken out again: for its controller, and for admission. Pure.
import { requirementsOf, selectorMatches, type Kind, type KubeObject } from "#schema";
import type { BindingSubject, SinkBindingSpec, SinkBindingStatus } from "./sink-binding.ts";

interface Variable {
  readonly name: string;
  readonly value?: string;
}

interface BoundContainer {
  readonly name?: string;
  readonly env?: readonly Variable[];
}

interface PodSpec {
  readonly containers?: readonly BoundContainer[];
  readonly initContainers?: readonly BoundContainer[];
}

/** Any object with a pod template: Deployments, ReplicaSets, Knative Services, users' kinds. */
export type BindableObject = KubeObject & { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } };

export interface TemplateBinding {
  readonly sinkUri: string;
  readonly caCerts?: string;
  readonly overrides?: { readonly extensions?: Readonly<Record<string, string>> };
}

/** Of an object or of its namespace: no binding looks at it. */
export const BINDING_EXCLUDE = "bindings.knative.dev/exclude";

const NAMES: readonly string[] = ["K_SINK", "K_CA_CERTS", "K_CE_OVERRIDES"];
const LISTS = ["initContainers", "containers"] as const;

export function templateBinding(
  sinkUri: string,
  { sinkCACerts }: Pick<SinkBindingStatus, "sinkCACerts">,
  overrides: SinkBindingSpec["ceOverrides"],
): TemplateBinding {
  return { sinkUri, ...(sinkCACerts === undefined ? {} : { caCerts: sinkCACerts }), ...(overrides === undefined ? {} : { overrides }) };
}

/** Whether a binding of the object's namespace means it, by its name or by labels; of whichever version the kind is. */
export function isSubject({ apiVersion = "", kind, name = "", selector }: BindingSubject, of: Pick<Kind, "group" | "kind">, { metadata }: KubeObject): boolean {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  if (kind !== of.kind || group !== of.group) return false;
  if (name !== "") return name === metadata.name;
  return selector !== undefined && requirementsOf(selector) !== undefined && selectorMatches(selector, metadata.labels);
}

/** Neither the workload nor its namespace is excluded, and it is not going away. */
export function isBindable({ metadata }: KubeObject, namespace: KubeObject | undefined): boolean {
  return metadata.deletionTimestamp === undefined && [metadata.labels, namespace?.metadata.labels].every((labels) => labels?.[BINDING_EXCLUDE] !== "true");
}

function variablesOf({ sinkUri, caCerts, overrides }: TemplateBinding): Variable[] {
  return [
    { name: "K_SINK", value: sinkUri },
    ...(caCerts === undefined ? [] : [{ name: "K_CA_CERTS", value: caCerts }]),
    // Without a value where it is empty: so it is stored, and admission comes behind the step that would leave it out.
    { name: "K_CE_OVERRIDES", ...(overrides === undefined ? {} : { value: JSON.stringify(overrides) }) },
  ];
}

function withVariables<C extends BoundContainer>(container: C, variables: readonly Variable[]): C {
  const { env: before = [], ...rest } = container;
  const env = [...before.filter(({ name }) => !NAMES.includes(name)), ...variables];
  return (env.length === 0 ? rest : { ...rest, env }) as C;
}

function eachContainer<P extends object>(spec: P, change: (container: BoundContainer) => BoundContainer): P {
  const its = spec as PodSpec;
  const lists = LISTS.flatMap((list) => (its[list] === undefined ? [] : [[list, its[list].map(change)] as const]));
  return { ...spec, ...Object.fromEntries(lists) };
}

/** Variables of these names that stood there before are replaced. */
export function boundTemplate<P extends object>(spec: P, binding: TemplateBinding): P {
  const variables = variablesOf(binding);
  return eachContainer(spec, (container) => withVariables(container, variables));
}

export function unboundTemplate<P extends object>(spec: P): P {
  return eachContainer(spec, (container) => withVariables(container, []));
}

/** `spec` with what a binding has put into the containers of `current` that have the same names. */
export function boundTemplateAs<P extends object>(spec: P, current: object): P {
  const there = current as PodSpec;
  const known = new Map(LISTS.flatMap((list) => there[list] ?? []).map(({ name, env = [] }) => [name, env.filter((one) => NAMES.includes(one.name))]));
  return eachContainer(spec, (container) => withVariables(container, known.get(container.name) ?? []));
}

const textOf = ({ env = [] }: BoundContainer): string =>
  JSON.stringify(env.filter(({ name }) => NAMES.includes(name)).map(({ name, value = "" }) => [name, value]));

/** Whether the containers of both have the same variables of a binding; their order does not count as a difference elsewhere. */
export function isBoundAlike(a: object, b: object): boolean {
  const text = (spec: PodSpec): string => LISTS.map((list) => (spec[list] ?? []).map(textOf).join()).join(";");
  return text(a) === text(b);
}
