// What a SinkBinding puts into the containers of a workload, and how it is taken out again. Pure.
import type { KubeObject } from "#schema";

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
export type Subject = KubeObject & { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } };

export interface Binding {
  readonly sinkUri: string;
  readonly caCerts?: string;
  readonly overrides?: { readonly extensions?: Readonly<Record<string, string>> };
}

const NAMES: readonly string[] = ["K_SINK", "K_CA_CERTS", "K_CE_OVERRIDES"];
const LISTS = ["initContainers", "containers"] as const;

function variablesOf({ sinkUri, caCerts, overrides }: Binding): Variable[] {
  return [
    { name: "K_SINK", value: sinkUri },
    ...(caCerts === undefined ? [] : [{ name: "K_CA_CERTS", value: caCerts }]),
    { name: "K_CE_OVERRIDES", value: overrides === undefined ? "" : JSON.stringify(overrides) },
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
export function bound<P extends object>(spec: P, binding: Binding): P {
  const variables = variablesOf(binding);
  return eachContainer(spec, (container) => withVariables(container, variables));
}

export function unbound<P extends object>(spec: P): P {
  return eachContainer(spec, (container) => withVariables(container, []));
}

/** `spec` with what a binding has put into the containers of `current` that have the same names. */
export function boundAs<P extends object>(spec: P, current: object): P {
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
