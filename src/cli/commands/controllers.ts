// eider controllers: our controllers on a cluster that others run.
import { join } from "node:path";
import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit.ts";

interface Flags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly systemNamespace: string;
  readonly domain: string;
  readonly ingressClass?: string;
  readonly workloads?: true;
  readonly webhooks: boolean;
  readonly webhookListen: string;
  readonly webhookUrl?: string;
  readonly force?: true;
}

const DESCRIPTION = `Runs Eider's controllers of Knative Serving against an existing Kubernetes cluster, and keeps running until Ctrl-C.

First it applies the definitions of Knative's kinds (server-side, as the field manager "eider"), and makes the namespace
knative-serving with its ConfigMaps where they are missing. Then it waits for a lease, so that several of it stand by for
each other, and runs the controllers that make Routes, Revisions and Deployments of Services. Defaults and checks of
Knative's kinds are served as admission webhooks by this process.

It needs a gateway that serves Knative's Ingresses (Kourier, for instance) and scales nothing by load: the autoscaler's
gateway is a part of the embedded platform.`;

const HELP = `
Examples:
  eider controllers --kubeconfig ~/.kube/config --ingress-class kourier.ingress.networking.knative.dev
  eider controllers --context staging --webhook-listen 0.0.0.0:9443 --webhook-url https://10.0.0.5:9443
  eider controllers --workloads     on a bare kube-apiserver, without a kube-controller-manager

Exit codes: 0 after Ctrl-C, 2 wrong call, 4 others have set up Knative, 5 no permission, 10 not reachable.`;

export function addControllersCommand(program: Command, context: CliContext): void {
  program
    .command("controllers")
    .summary("run the controllers on a Kubernetes cluster")
    .description(DESCRIPTION)
    .option("--kubeconfig <file>", "kubeconfig of the cluster (default: $KUBECONFIG, else ~/.kube/config)")
    .option("--context <name>", "context of the kubeconfig (default: the current one)")
    .option("--system-namespace <name>", "namespace of the settings and of the lease", "knative-serving")
    .option("--domain <name>", "domain of URLs, when the ConfigMap config-domain is missing", "example.com")
    .option("--ingress-class <class>", "class of the gateway, when the ConfigMap config-network is missing")
    .option("--workloads", "also do what a kube-controller-manager does: Deployments, endpoints, namespaces, garbage")
    .option("--no-webhooks", "do without defaults and checks of Knative's kinds")
    .option("--webhook-listen <address>", "where the webhooks listen; port 0 is any free one", "127.0.0.1:0")
    .option("--webhook-url <url>", "where the cluster reaches the webhooks (default: where they listen)")
    .option("--force", "take over definitions and webhooks that other programs have applied")
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const { host, port } = listenAddress(flags.webhookListen);
      const webhookUrl = urlOf(flags.webhookUrl);
      if (flags.webhooks && webhookUrl === undefined && ["0.0.0.0", "::"].includes(host)) {
        throw new CliError("usage", `${host} is every address of this machine: the cluster needs one`, {
          hint: "say which with --webhook-url https://ADDRESS:PORT",
        });
      }
      await context.controllers({
        kubeconfig: kubeconfigOf(flags, context),
        context: flags.context,
        namespace: flags.systemNamespace,
        domain: flags.domain,
        ingressClass: flags.ingressClass,
        workloads: flags.workloads === true,
        webhooks: flags.webhooks,
        webhookHost: host,
        webhookPort: port,
        webhookUrl,
        force: flags.force === true,
      });
    });
}

/** As kubectl finds it; the platform's own kubeconfig is not meant. */
function kubeconfigOf({ kubeconfig }: Flags, context: CliContext): string {
  const fromEnv = context.env["KUBECONFIG"]?.split(":").find((path) => path !== "");
  const [path, source] =
    kubeconfig !== undefined ? [kubeconfig, "--kubeconfig"] : fromEnv !== undefined ? [fromEnv, "$KUBECONFIG"] : [join(context.home, ".kube", "config"), ""];
  if (context.exists(path)) return path;
  if (source === "")
    throw new CliError("usage", `no cluster: no --kubeconfig, no $KUBECONFIG, and no ${path}`, { hint: "eider controllers --kubeconfig FILE" });
  throw new CliError("usage", `${source} names ${path}, which does not exist`);
}

function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host = "", digits = ""] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === "" || Number(digits) > 65_535) {
    throw new CliError("usage", `invalid value ${JSON.stringify(text)} for --webhook-listen`, { hint: "write it as 127.0.0.1:9443" });
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(digits) };
}

function urlOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (!URL.canParse(text) || new URL(text).protocol !== "https:") {
    throw new CliError("usage", `invalid value ${JSON.stringify(text)} for --webhook-url: a cluster calls webhooks by https`);
  }
  return text.replace(/\/+$/, "");
}
