// Entry file of `eider controllers`: our controllers on a cluster that others run. Reads from top to bottom like the platform.
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { ControllersOptions } from "#cli";
import { CliError, EXIT, toCliError } from "#cli/exit";
import { createClient, createHttpTransport, loadKubeconfigFile } from "#client";
import { isReason } from "#core";
import { createSystemRng, systemClock } from "#host";
import { Lease } from "#kinds";
import { leadOnce, type LeaseObject } from "#reconcile";
import type { Kind } from "#schema";
import { isOnThisMachine, missingPermissions, versionOf } from "./cluster-access.ts";
import { KUBERNETES_KINDS, OWN_KINDS } from "./cluster-kinds.ts";
import { ensureClusterObjects } from "./cluster-objects.ts";
import { runTerm } from "./cluster-term.ts";
import { lineLogger } from "./line-logger.ts";
import { parseControllers } from "./options.ts";
import { VERSION } from "./version.ts";

/** Knative's own name of a controller's lease begins with its component. */
const LEASE = "eider-controllers";
/** Permissions that an error names; the rest is counted. */
const PERMISSIONS_SHOWN = 5;

const request = requested();
const stopping = new AbortController();
const { signal } = stopping;
process.once("SIGINT", () => stop());
process.once("SIGTERM", () => stop());

const progress = (line: string): void => void process.stdout.write(`${line}\n`);
const logger = lineLogger({ clock: systemClock, write: (line) => void process.stderr.write(`${line}\n`) });
const clock = systemClock;
const rng = createSystemRng();

try {
  await main();
} catch (error) {
  // What the end itself broke off is no failure.
  if (!signal.aborted) report(toCliError(error));
}

function requested(): ControllersOptions {
  const asked = parseControllers(process.argv);
  if (asked === undefined) throw new Error("this program is started by `eider controllers`");
  return asked;
}

async function main(): Promise<void> {
  const { context, kubeconfig, namespace } = request;
  const access = await loadKubeconfigFile(kubeconfig, context);
  if (request.webhooks && request.webhookUrl === undefined && !isOnThisMachine(access.server)) {
    throw new CliError("usage", `${access.server} is another machine, which does not reach webhooks on ${request.webhookHost}`, {
      hint: "give the URL at which the cluster reaches this machine with --webhook-url, or do without the checks: --no-webhooks",
    });
  }
  const transport = createHttpTransport({ ...access, clock, logger, userAgent: `eider-controllers/${VERSION}` });
  try {
    progress(`cluster at ${access.server}, Kubernetes ${await versionOf(transport).catch(unreachable)}`);
    const missing = await missingPermissions(transport, { kinds: [...OWN_KINDS, ...KUBERNETES_KINDS, Lease as unknown as Kind], webhooks: request.webhooks });
    if (missing.length > 0) throw notPermitted(missing);
    const client = createClient(transport, { fieldManager: "eider-controllers" });
    const { domain, force, ingressClass } = request;
    const objects = { kinds: OWN_KINDS, namespace, domain, version: VERSION, force, clock, progress };
    await ensureClusterObjects(client, { ...objects, ...(ingressClass === undefined ? {} : { ingressClass }) }, signal).catch(explained);
    const identity = `${hostname()}_${randomBytes(8).toString("hex")}`;
    const term = { transport, asked: request, rootCa: access.ca ?? "", clock, rng, logger, progress };
    while (!signal.aborted) {
      progress(`waits for the lease ${namespace}/${LEASE}`);
      const lease = { client, kind: Lease as unknown as Kind<LeaseObject>, namespace, name: LEASE, identity, clock, rng, logger };
      const onLeader = (leader: string): void => progress(`${leader} leads; this process stands by`);
      const outcome = await leadOnce({ ...lease, onLeader, lead: (its) => runTerm(term, its).catch(explained) }, signal);
      if (outcome === "lost") progress("the lease is lost, the controllers have stopped");
    }
    progress("the controllers have ended");
  } finally {
    transport.close();
  }
}

/** A second Ctrl-C does not wait for the end. */
function stop(): void {
  progress("ending ...");
  stopping.abort();
  process.once("SIGINT", () => process.exit(EXIT.interrupted));
}

function notPermitted(missing: readonly string[]): CliError {
  const shown = missing.slice(0, PERMISSIONS_SHOWN).join("; ");
  const more = missing.length > PERMISSIONS_SHOWN ? `; and on ${missing.length - PERMISSIONS_SHOWN} more kinds` : "";
  return new CliError("forbidden", `the kubeconfig's user may not ${shown}${more}`, { hint: "a kubeconfig of a cluster administrator" });
}

/** Somebody else owns what we would apply: most likely Knative Serving itself. */
function explained(error: unknown): never {
  if (!isReason(error, "Conflict")) throw error;
  throw new CliError("exists", `other programs have set up Knative on this cluster: ${error.message}`, {
    hint: "end those first, and then take their definitions over with --force",
    cause: error,
  });
}

function unreachable(error: unknown): never {
  const hint = `kubectl --kubeconfig ${request.kubeconfig} version`;
  if (isReason(error, "ServiceUnavailable")) throw new CliError("unreachable", `the cluster cannot be reached: ${error.message}`, { hint, cause: error });
  if (isReason(error, "Unauthorized"))
    throw new CliError("forbidden", `the cluster does not know the kubeconfig's user: ${error.message}`, { hint, cause: error });
  throw error;
}

function report({ exit, hint, message }: CliError): void {
  process.stderr.write(`Error: ${message}\n${hint === undefined ? "" : `Try: ${hint}\n`}`);
  process.exitCode = EXIT[exit];
}
