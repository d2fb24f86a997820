// Differences of two specs in the words of Go's field paths, as Knative prints them when something immutable changed.
import { equal } from "#schema";

/** Go's spelling of fields that are not just the JSON name with a capital. */
const GO_NAMES: Readonly<Record<string, string>> = {
  metadata: "ObjectMeta",
  httpGet: "HTTPGet",
  tcpSocket: "TCPSocket",
  grpc: "GRPC",
  httpHeaders: "HTTPHeaders",
  dnsPolicy: "DNSPolicy",
  dnsConfig: "DNSConfig",
};

/** The order of Go's struct fields; what is not listed follows in the order of names. */
const ORDER: readonly string[] = (
  "name generateName namespace labels annotations ownerReferences finalizers volumes initContainers containers image command " +
  "args workingDir ports envFrom env resources volumeMounts livenessProbe readinessProbe startupProbe terminationMessagePath terminationMessagePolicy " +
  "imagePullPolicy securityContext serviceAccountName automountServiceAccountToken imagePullSecrets enableServiceLinks " +
  "containerConcurrency timeoutSeconds responseStartTimeoutSeconds idleTimeoutSeconds"
).split(" ");

/** Fields of RevisionSpec itself; all others are in the embedded PodSpec. */
const OWN_FIELDS = new Set(["containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds"]);
const POINTERS = new Set([...OWN_FIELDS, "enableServiceLinks", "automountServiceAccountToken", "shareProcessNamespace", "runtimeClassName"]);
const MAPS = new Set(["labels", "annotations", "nodeSelector", "limits", "requests"]);
const LISTS = new Set([
  "env",
  "envFrom",
  "args",
  "command",
  "ports",
  "volumeMounts",
  "volumes",
  "containers",
  "initContainers",
  "imagePullSecrets",
  "tolerations",
]);
const PROBES = new Set(["livenessProbe", "readinessProbe", "startupProbe"]);

type Fields = Readonly<Record<string, unknown>>;

const textOf = (value: unknown): string => (typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "");
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const goName = (key: string): string => GO_NAMES[key] ?? `${key.charAt(0).toUpperCase()}${key.slice(1)}`;
const rank = (key: string): number => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);
const inGoOrder = (keys: Iterable<string>): string[] => [...new Set(keys)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));

const lines = (path: string, before: string, after: string): string => `${path}:\n\t-: "${before}"\n\t+: "${after}"\n`;

function goProbe(value: unknown): string {
  if (!isFields(value)) return "nil";
  const number = (name: string): number => (typeof value[name] === "number" ? value[name] : 0);
  const handler = (name: string, show: (fields: Fields) => string): string => (isFields(value[name]) ? show(value[name]) : "nil");
  const port = (fields: Fields): string => (typeof fields["port"] === "string" ? `{1 0 ${fields["port"]}}` : `{0 ${fields["port"] as number} }`);
  const text = (fields: Fields, name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
  const exec = handler("exec", (of) => `&ExecAction{Command:[${((of["command"] ?? []) as string[]).join(" ")}],}`);
  const http = handler(
    "httpGet",
    (of) => `&HTTPGetAction{Path:${text(of, "path")},Port:${port(of)},Host:${text(of, "host")},Scheme:${text(of, "scheme")},HTTPHeaders:[]HTTPHeader{},}`,
  );
  const tcp = handler("tcpSocket", (of) => `&TCPSocketAction{Port:${port(of)},Host:${text(of, "host")},}`);
  const grpc = handler("grpc", (of) => `&GRPCAction{Port:${of["port"] as number},Service:*${text(of, "service")},}`);
  const times = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    .map((name) => `${goName(name)}:${number(name)}`)
    .join(",");
  return `&Probe{ProbeHandler:ProbeHandler{Exec:${exec},HTTPGet:${http},TCPSocket:${tcp},GRPC:${grpc},},${times},TerminationGracePeriodSeconds:nil,}`;
}

function goItem(value: unknown, key: string): string {
  if (!isFields(value)) return textOf(value);
  if (key === "env")
    return `{Name:${textOf(value["name"])} Value:${textOf(value["value"])} ValueFrom:${isFields(value["valueFrom"]) ? "&EnvVarSource{}" : "nil"}}`;
  if (key === "ports") {
    return `{Name:${textOf(value["name"])} HostPort:0 ContainerPort:${textOf(value["containerPort"] ?? 0)} Protocol:${textOf(value["protocol"])} HostIP:}`;
  }
  const members = inGoOrder(Object.keys(value)).map((name) => `${goName(name)}:${goValue(value[name], name)}`);
  return `{${members.join(" ")}}`;
}

/** A value as Go's `%+v` prints it. */
function goValue(value: unknown, key: string): string {
  if (PROBES.has(key)) return goProbe(value);
  if (MAPS.has(key))
    return `map[${Object.entries(isFields(value) ? value : {})
      .map(([name, text]) => `${name}:${textOf(text)}`)
      .sort()
      .join(" ")}]`;
  if (Array.isArray(value) || LISTS.has(key)) return `[${((value ?? []) as unknown[]).map((item) => goItem(item, key)).join(" ")}]`;
  if (value === undefined) return POINTERS.has(key) ? "<nil>" : "";
  return isFields(value) ? goItem(value, key) : textOf(value);
}

/** Semantic equality as for Kubernetes' objects: absent and empty members are the same. */
export function sameSpec(a: unknown, b: unknown): boolean {
  return equal(pruned(a), pruned(b));
}

function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned);
  if (!isFields(value)) return value;
  const members = Object.entries(value).map(([key, member]) => [key, pruned(member)] as const);
  return Object.fromEntries(
    members.filter(
      ([, member]) =>
        !(member === "" || member === undefined || (Array.isArray(member) && member.length === 0) || (isFields(member) && Object.keys(member).length === 0)),
    ),
  );
}

function isEmptyOrAbsent(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0) || (isFields(value) && Object.keys(value).length === 0);
}

function diffMember(path: string, key: string, pair: readonly [unknown, unknown]): string {
  const [before, after] = pair;
  if (sameSpec(before, after)) return "";
  const here = `${path}.${goName(key)}`;
  if (isEmptyOrAbsent(before) || isEmptyOrAbsent(after)) {
    const oneIsPointer = POINTERS.has(key) && before !== undefined && after !== undefined;
    return lines(oneIsPointer ? `*${here}` : here, goValue(before, key), goValue(after, key));
  }
  if (Array.isArray(before) && Array.isArray(after)) return diffList(here, key, [before, after]);
  if (isFields(before) && isFields(after)) return MAPS.has(key) ? diffMap(here, [before, after]) : diffStruct(here, [before, after]);
  return lines(POINTERS.has(key) ? `*${here}` : here, goValue(before, key), goValue(after, key));
}

function diffMap(path: string, [before, after]: readonly [Fields, Fields]): string {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys
    .filter((key) => before[key] !== after[key])
    .map((key) => {
      const removed = key in before ? `\t-: "${textOf(before[key])}"\n` : "";
      return `${path}[${JSON.stringify(key)}]:\n${removed}${key in after ? `\t+: "${textOf(after[key])}"\n` : ""}`;
    })
    .join("");
}

function diffList(path: string, key: string, [before, after]: readonly [readonly unknown[], readonly unknown[]]): string {
  const common = Math.min(before.length, after.length);
  let text = "";
  for (let index = 0; index < common; index++) {
    const [a, b] = [before[index], after[index]];
    if (isFields(a) && isFields(b)) text += diffStruct(`${path}[${index}]`, [a, b]);
    else if (a !== b) text += lines(`${path}[${index}]`, textOf(a), textOf(b));
  }
  for (let index = common; index < before.length; index++) text += `${path}[${index}->?]:\n\t-: "${goItem(before[index], key)}"\n`;
  for (let index = common; index < after.length; index++) text += `${path}[?->${index}]:\n\t+: "${goItem(after[index], key)}"\n`;
  return text;
}

function diffStruct(path: string, [before, after]: readonly [Fields, Fields]): string {
  return inGoOrder([...Object.keys(before), ...Object.keys(after)])
    .map((key) => diffMember(path, key, [before[key], after[key]]))
    .join("");
}

/** One block a change between two Revision specs; `root` is how Go names the compared value. Empty when equal. */
export function diffRevisionSpecs(root: string, before: object, after: object): string {
  const [a, b] = [before as Fields, after as Fields];
  return inGoOrder([...Object.keys(a), ...Object.keys(b)])
    .map((key) => diffMember(OWN_FIELDS.has(key) ? root : `${root}.PodSpec`, key, [a[key], b[key]]))
    .join("");
}

/** As above for two revision templates. */
export function diffTemplates(before: { metadata?: object; spec: object }, after: { metadata?: object; spec: object }): string {
  const root = "{*v1.RevisionTemplateSpec}";
  const metadata = diffStruct(`${root}.ObjectMeta`, [(before.metadata ?? {}) as Fields, (after.metadata ?? {}) as Fields]);
  return metadata + diffRevisionSpecs(`${root}.Spec`, before.spec, after.spec);
}
