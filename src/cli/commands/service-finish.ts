// The end of create, update, apply and deploy: wait with progress, then say where the Service is.
import type { Client } from "#client";
import type { Service } from "#kinds";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit.ts";
import { formatted, parseFormat } from "../output.ts";
import { waitReady } from "../wait-ready.ts";

interface Finish {
  readonly context: CliContext;
  readonly client: Client;
  readonly service: Service;
  /** The Service as it was, when there was one. */
  readonly before: Service | undefined;
  readonly verb: "created" | "updated" | "replaced" | "applied";
  readonly flags: { readonly wait: boolean; readonly waitTimeout: string; readonly output?: string };
}

type FinishFlags = Finish["flags"];

/** Throws CliError `usage`; asked before anything is written, so that a mistyped flag changes nothing. */
export function readFinishFlags(flags: FinishFlags): { readonly format: ReturnType<typeof parseFormat>; readonly timeoutMs: number } {
  const seconds = Number(flags.waitTimeout);
  if (!(seconds >= 0)) throw new CliError("usage", `invalid value ${JSON.stringify(flags.waitTimeout)} for --wait-timeout: seconds are wanted`);
  return { format: parseFormat(flags.output), timeoutMs: seconds * 1000 };
}

export async function finish({ context, client, service, before, verb, flags }: Finish): Promise<void> {
  const { format, timeoutMs } = readFinishFlags(flags);
  const { name, namespace = "" } = service.metadata;
  if (!flags.wait) {
    context.out(format === undefined ? `Service '${name}' ${verb} in namespace '${namespace}'.\n` : formatted(format, [service], true));
    return;
  }
  const ready = await waitReady({
    client,
    namespace,
    name,
    timeoutMs,
    clock: context.clock,
    signal: context.signal,
    print: (line) => (format === undefined ? context.out(`${line}\n`) : undefined),
  });
  if (format !== undefined) {
    context.out(formatted(format, [ready], true));
    return;
  }
  const revision = ready.status?.latestReadyRevisionName ?? "";
  const same = before?.status?.latestReadyRevisionName === revision;
  const what = same ? `with latest revision '${revision}' (unchanged)` : `${verb} to latest revision '${revision}'`;
  context.out(`\nService '${name}' ${what} is available at URL:\n${ready.status?.url ?? ""}\n`);
}
