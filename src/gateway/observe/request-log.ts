// Knative's request log: a line for each request that reached a revision, in the form that a template gives it.
import { TemplateFault, type TextTemplate } from "#core";
import { valuesOf } from "../http/head-scan.ts";
import type { RequestFacts, RequestObserver } from "../request/request-facts.ts";
import type { RequestHead } from "../http/request-head.ts";
import { latencySeconds, requestValues } from "./request-values.ts";

/** A longer line is cut. */
const LINE_MAX = 16 * 1024;

export interface RequestLogOptions {
  readonly template: TextTemplate;
  /** Probes are logged, too. */
  readonly probes: boolean;
  readonly add: (line: string) => void;
}

export class RequestLog implements RequestObserver {
  readonly #options: RequestLogOptions;

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  began(): void {
    // Lines tell of ends.
  }

  ended(facts: RequestFacts): void {
    const { template, probes, add } = this.#options;
    const probe = isProbe(facts.head);
    if (probe ? !probes : facts.backend === undefined) return;
    add(`${oneLine(lineOf(template, facts)).slice(0, LINE_MAX)}\n`);
  }
}

/** What Knative writes when a template cannot be evaluated. */
function lineOf(template: TextTemplate, facts: RequestFacts): string {
  try {
    return template.render(requestValues(facts));
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    const { head, status } = facts;
    return `Invalid request log template: method: ${head.method}, response code: ${status}, latency: ${latencySeconds(facts)}, url: ${head.target}`;
  }
}

/** Of the network's or of a kubelet (serving.md 4.2). */
function isProbe(head: RequestHead): boolean {
  if (head.probe !== "") return true;
  const agent = valuesOf(head.text, head.fields, "user-agent")[0] ?? "";
  return agent.startsWith("kube-probe/") || (valuesOf(head.text, head.fields, "k-kubelet-probe")[0] ?? "") !== "";
}

/** Queries of a URL can hold an encoded line end, which a template may print decoded. */
function oneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/\n$/, "").replaceAll(/[\r\n]/g, " ") : text;
}
