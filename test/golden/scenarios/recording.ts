// The shape of the recorded scenarios (golden/serving/README.md), as far as they are compared.

export interface Json {
  [member: string]: unknown;
}

export interface RecordedObject extends Json {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [member: string]: unknown };
  readonly unchangedSinceStep?: number;
}

export interface RecordedEvent {
  readonly component: string;
  readonly involvedObject: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly message: string;
  readonly reason: string;
  readonly type: string;
}

export interface RecordedStep {
  readonly name: string;
  readonly op: "create" | "patch" | "jsonpatch" | "replace" | "delete" | "get" | "config" | "kn" | "sim" | "wait";
  readonly request?: { readonly method: string; readonly path: string; readonly contentType?: string; readonly body?: unknown };
  readonly response?: { readonly code: number; readonly warnings?: readonly string[]; readonly body?: Json };
  /** Of `kn`: the command line and what came of it. */
  readonly command?: string;
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly until?: string;
  readonly seconds?: number;
  readonly objects?: readonly RecordedObject[];
  readonly events?: readonly RecordedEvent[];
  readonly eventsSometimes?: readonly RecordedEvent[];
}

/** `[step, kind, name, ADDED|DELETED]` or `[step, kind, name, type, status, reason, message, severity?]`. */
export type TraceEntry = readonly (string | number)[];

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly namespace: string;
  readonly steps: readonly RecordedStep[];
  readonly trace: readonly TraceEntry[];
  readonly traceVaries?: readonly { readonly kind: string; readonly name: string; readonly type: string }[];
  readonly unstable?: readonly { readonly step: number; readonly object: string; readonly path: string }[];
}
