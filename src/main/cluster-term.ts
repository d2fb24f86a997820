// What the leader does on a cluster: follows the settings, answers webhooks, runs the controllers, and takes leave.
import { Deciders } from "#autoscaler";
import type { ControllersOptions } from "#cli";
import { createClient, createInformerSet, type InformerSet, type Transport } from "#client";
import { followSettings } from "#controllers";
import type { Clock, Logger, Rng } from "#core";
import { EIDER_INGRESS_CLASS, Endpoints } from "#kinds";
import { fenced, type Term } from "#reconcile";
import { KUBERNETES_KINDS, OWN_KINDS } from "./cluster-kinds.ts";
import { applyWebhooks, removeWebhooks } from "./cluster-objects.ts";
import { startWebhooks, type Webhooks } from "./cluster-webhooks.ts";
import { runControllers } from "./controllers.ts";
import { digestResolver, registries } from "./image-sources.ts";

/** The Endpoints of Knative's activators, where a cluster has them. */
const ACTIVATORS = "activator-service";

export interface TermOptions {
  readonly transport: Transport;
  readonly asked: ControllersOptions;
  /** Authority of the cluster, for what `workloads` writes into each namespace. */
  readonly rootCa: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly progress: (line: string) => void;
}

function activatorsOf(informers: InformerSet, namespace: string): () => readonly string[] {
  const endpoints = informers.of(Endpoints, "activators", ({ metadata, subsets }) =>
    metadata.namespace === namespace && metadata.name === ACTIVATORS
      ? (subsets ?? []).flatMap(({ addresses }) => (addresses ?? []).map(({ ip }) => ip))
      : undefined,
  );
  return () => endpoints.get(namespace, ACTIVATORS) ?? [];
}

/** Runs until the term is over; what was told to the cluster about webhooks is taken back while we still may. */
export async function runTerm(options: TermOptions, { signal, holds }: Term): Promise<void> {
  const { asked, clock, logger, progress, rng } = options;
  const transport = fenced(options.transport, holds);
  const client = createClient(transport, { fieldManager: "eider-controllers" });
  const informers = createInformerSet({ client, clock, rng, logger });
  const settings = followSettings({ informers, logger, namespace: asked.namespace });
  const activators = activatorsOf(informers, asked.namespace);
  const informing = informers.run(signal);
  let webhooks: Webhooks | undefined;
  try {
    await settings.synced.catch(() => {});
    if (signal.aborted) return;
    if (asked.webhooks) {
      const at = { host: asked.webhookHost, port: asked.webhookPort, ...(asked.webhookUrl === undefined ? {} : { url: asked.webhookUrl }) };
      webhooks = await startWebhooks({ kinds: OWN_KINDS, config: settings.current, transport, ...at, nowWallMs: clock.wallMs(), logger });
      await applyWebhooks(client, { ...webhooks, kinds: OWN_KINDS, force: asked.force });
      progress(`webhooks are answered at ${webhooks.url}`);
    }
    const deciders = new Deciders({ clock, logger });
    const sources = { client: () => client, settings: settings.current, clock, rng, logger };
    const controllers = runControllers(
      {
        workloads: asked.workloads,
        client,
        transport,
        informers,
        kinds: [...OWN_KINDS, ...KUBERNETES_KINDS],
        settings,
        deciders,
        resolveDigest: digestResolver(sources, registries(sources)),
        // The gateway is a part of the embedded platform; a cluster has another one, which tells when a route is in force.
        ingressState: () => ({ isInForce: false }),
        activators,
        publicPort: undefined,
        rootCa: options.rootCa,
        clock,
        rng,
        logger,
      },
      signal,
    );
    progress(`controllers run${asked.workloads ? ", also those of workloads" : ""}`);
    if (settings.current().network.ingressClass === EIDER_INGRESS_CLASS) {
      progress(`note: nobody serves Ingresses of the class ${EIDER_INGRESS_CLASS} on a cluster; set ingress-class in the ConfigMap config-network`);
    }
    await Promise.all([controllers.done, deciders.run({ signal })]);
  } finally {
    if (webhooks !== undefined) {
      const { caPem, url } = webhooks;
      // Without an answer every write would be refused. Another leader has told the cluster about its own by then.
      if (holds()) await removeWebhooks(client, { url, caPem, kinds: OWN_KINDS }).catch((err: unknown) => logger.warn("webhooks were not taken back", { err }));
      await webhooks.close();
    }
    await informing.catch(() => {});
  }
}
