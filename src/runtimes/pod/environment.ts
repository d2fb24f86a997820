// The environment of a container: literals, ConfigMaps, Secrets, what the pod says about itself, and nothing of the platform's.
import type { Client } from "#client";
import { ConfigMap, Secret, type CoreContainer, type EnvVar, type Pod } from "#kinds";
import { ContainerConfigError, type PodPlace } from "../engine.ts";
import { fieldOf, resourceOf, type NodeResources } from "./pod-fields.ts";

type Values = Readonly<Record<string, string>>;

/** Reads each object once, however many variables refer to it. */
function valuesReader(client: Client, namespace: string) {
  const read = new Map<string, Promise<Values | undefined>>();
  return (type: "configmap" | "secret", name: string): Promise<Values | undefined> => {
    const key = `${type}/${name}`;
    const known = read.get(key);
    if (known !== undefined) return known;
    const fresh = type === "configmap" ? configMapValues(client, namespace, name) : secretValues(client, namespace, name);
    read.set(key, fresh);
    return fresh;
  };
}

async function configMapValues(client: Client, namespace: string, name: string): Promise<Values | undefined> {
  return (await client.find(ConfigMap, namespace, name).then((map) => (map === undefined ? undefined : (map.data ?? {})))) as Values | undefined;
}

async function secretValues(client: Client, namespace: string, name: string): Promise<Values | undefined> {
  const secret = await client.find(Secret, namespace, name);
  if (secret === undefined) return undefined;
  return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(String(value), "base64").toString("utf8")]));
}

const NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: CoreContainer;
  readonly place: PodPlace;
  readonly node: NodeResources;
  /** Variables that are there anyhow: those of the container go before them, and may use them. */
  readonly around: Values;
}

/** `envFrom` first, then `env` in its order with `$(NAME)` expanded. Throws ContainerConfigError. */
export async function environmentOf(client: Client, { pod, container, place, node, around }: EnvironmentInput): Promise<Values> {
  const namespace = pod.metadata.namespace ?? "";
  const values = valuesReader(client, namespace);
  const result: Record<string, string> = {};
  for (const source of container.envFrom ?? []) {
    const type = source.configMapRef === undefined ? "secret" : "configmap";
    const reference = source.configMapRef ?? source.secretRef;
    if (reference?.name === undefined) continue;
    const found = await values(type, reference.name);
    if (found === undefined && reference.optional !== true) throw new ContainerConfigError(`${type} "${reference.name}" not found`);
    for (const [key, value] of Object.entries(found ?? {})) if (NAME.test(`${source.prefix ?? ""}${key}`)) result[`${source.prefix ?? ""}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, { pod, container, place, node, around, namespace, values });
    if (value !== undefined) result[variable.name] = variable.value === undefined ? value : expand(value, { ...around, ...result });
  }
  return { ...around, ...result };
}

interface Sources extends EnvironmentInput {
  readonly namespace: string;
  readonly values: (type: "configmap" | "secret", name: string) => Promise<Values | undefined>;
}

async function valueOf({ name, value, valueFrom }: EnvVar, { pod, container, place, node, namespace, values }: Sources): Promise<string | undefined> {
  if (valueFrom === undefined) return value ?? "";
  if (valueFrom.fieldRef !== undefined) return mustKnow(fieldOf(pod, place, valueFrom.fieldRef.fieldPath), valueFrom.fieldRef.fieldPath);
  if (valueFrom.resourceFieldRef !== undefined) {
    const { containerName = container.name } = valueFrom.resourceFieldRef;
    const of = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((each) => each.name === containerName);
    return mustKnow(of && resourceOf(of, valueFrom.resourceFieldRef, node), valueFrom.resourceFieldRef.resource);
  }
  const type = valueFrom.configMapKeyRef === undefined ? "secret" : "configmap";
  const reference = valueFrom.configMapKeyRef ?? valueFrom.secretKeyRef;
  if (reference?.name === undefined) throw new ContainerConfigError(`there is no way to give a value to the variable ${name}`);
  const found = await values(type, reference.name);
  const text = found?.[reference.key];
  if (text !== undefined || reference.optional === true) return text;
  if (found === undefined) throw new ContainerConfigError(`${type} "${reference.name}" not found`);
  throw new ContainerConfigError(`couldn't find key ${reference.key} in ${type === "secret" ? "Secret" : "ConfigMap"} ${namespace}/${reference.name}`);
}

function mustKnow(value: string | undefined, source: string): string {
  if (value === undefined) throw new ContainerConfigError(`the field ${source} is not supported as a source of a variable`);
  return value;
}

/** `$(NAME)` of variables defined before, `$$` for a dollar; what is unknown stays as written. */
export function expand(text: string, defined: Values): string {
  return text.replace(/\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g, (whole, name?: string) => (name === undefined ? "$" : (defined[name] ?? whole)));
}
