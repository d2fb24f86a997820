// The gauges show what the deciders know.
import { doesNotMatch, match } from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { MetricRegistry } from "#telemetry";
import { defaultServingConfig } from "#kinds";
import { Deciders } from "./deciders.ts";
import { publishDeciders } from "./metrics.ts";
import { resolveSettings } from "./resolve.ts";

test("a revision under load has its gauges", async () => {
  const clock = new SimClock();
  const deciders = new Deciders({ clock });
  const registry = new MetricRegistry();
  publishDeciders(registry, deciders, () => ({ service: "hello", configuration: "conf" }));
  const settings = resolveSettings({ annotations: {}, containerConcurrency: 0, reachability: "", config: defaultServingConfig().autoscaler });
  deciders.ensure("default/hello-00001", settings, { uid: "u", ready: 1, restored: 0 });
  await clock.advance(1_000);
  deciders.receive({
    type: "load",
    thread: 0,
    epoch: 1,
    atMs: 1_000,
    periodMs: 1_000,
    backends: [{ backend: "default/hello-00001", averageConcurrency: 150, requestCount: 9, waiting: 0 }],
  });
  const labels = 'k8s_namespace_name="default",kn_configuration_name="conf",kn_revision_name="hello-00001",kn_service_name="hello"';
  match(registry.text(), new RegExp(`kn_revision_pods_desired\\{${labels}\\} 3\\n`));
  match(registry.text(), new RegExp(`kn_revision_concurrency_stable\\{${labels}\\} 150\\n`));
  match(registry.text(), new RegExp(`kn_revision_panic_mode\\{${labels}\\} 1\\n`));
  deciders.remove("default/hello-00001");
  doesNotMatch(registry.text(), /hello-00001/, "a revision that is gone has none");
});
