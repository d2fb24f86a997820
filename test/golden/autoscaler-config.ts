// Adapter of the recorded config-autoscaler.json: the settings that a config map stands for, or what is wrong with it.
import { parseAutoscalerConfig } from "#kinds";
import { compared, type Checked } from "./autoscaler-compare.ts";

interface ConfigCase {
  readonly data: Readonly<Record<string, string>>;
  readonly parsed?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

/** Of the settings only those that the recording names. */
export function* checkConfig({ data, parsed = {}, error }: ConfigCase, name: string): Iterable<Checked> {
  const got = parseAutoscalerConfig(data) as unknown as Readonly<Record<string, unknown>>;
  const members = "error" in got ? ["error"] : Object.keys(parsed);
  yield compared(name, error === undefined ? parsed : { error }, Object.fromEntries(members.map((member) => [member, got[member]])));
}
