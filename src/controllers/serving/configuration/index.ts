// The controller of Configurations: it watches Configurations and the Revisions that they own.
import { Configuration, Revision } from "#kinds";
import type { Controller } from "#reconcile";
import { observeConfiguration, type ObservedConfiguration } from "./observe.ts";
import { planConfiguration } from "./plan.ts";

/** Creates a Revision for each generation of a Configuration and follows the newest ready one. */
export function configurationController(): Controller<Configuration, ObservedConfiguration> {
  return {
    name: "configuration-controller",
    primary: Configuration,
    owns: [Revision],
    observe: observeConfiguration,
    plan: planConfiguration,
    primaryOf: ({ configuration }) => configuration,
  };
}
