// Defaults and checks of Ingress, ServerlessService and Certificate (serving.md §1.9).
import { checkProtocol, checkReference } from "../autoscaling/webhooks.ts";
import { eachOf, fieldError, invalidValue, missingField, noErrors, type FieldErrors } from "../knative-field-error.ts";
import type { Webhook } from "../serving/admission-context.ts";
import type { Certificate } from "./certificate.ts";
import type { Ingress, IngressPath, IngressRule, IngressSplit, IngressTls } from "./ingress.ts";
import type { ServerlessService } from "./serverless-service.ts";

function ruleDefaults(rule: IngressRule): IngressRule {
  const paths = rule.http?.paths?.map((path) => {
    const [only] = path.splits ?? [];
    const alone = path.splits?.length === 1 && only !== undefined && (only.percent ?? 0) === 0;
    return alone ? { ...path, splits: [{ ...only, percent: 100 }] } : path;
  });
  return {
    ...rule,
    visibility: (rule.visibility ?? "") === "" ? "ExternalIP" : (rule.visibility ?? ""),
    ...(paths === undefined ? {} : { http: { ...rule.http, paths } }),
  };
}

function checkSplit(split: IngressSplit, namespace: string): FieldErrors {
  const { serviceName, serviceNamespace, servicePort, percent = 0 } = split;
  let errors = noErrors;
  if (serviceNamespace === "") errors = errors.also(missingField("serviceNamespace"));
  else if (serviceNamespace !== namespace) errors = errors.also(fieldError("service namespace must match ingress namespace", "serviceNamespace"));
  if (serviceName === "") errors = errors.also(missingField("serviceName"));
  if (servicePort === 0 || servicePort === "") errors = errors.also(missingField("servicePort"));
  return percent < 0 || percent > 100 ? errors.also(invalidValue(percent, "percent")) : errors;
}

function checkPath(path: IngressPath, namespace: string): FieldErrors {
  const splits = path.splits ?? [];
  if (splits.length === 0) return missingField("splits");
  const errors = eachOf(splits, (split) => checkSplit(split, namespace)).viaField("splits");
  const total = splits.reduce((sum, { percent = 0 }) => sum + percent, 0);
  // A share out of range is told first; its sum is no news then.
  return total === 100 || !errors.isEmpty ? errors : fieldError(`traffic split percentage must total to 100, but was ${total}`, "splits");
}

function checkRule(rule: IngressRule, namespace: string): FieldErrors {
  if (rule.http === undefined) return missingField("http");
  const paths = rule.http.paths ?? [];
  return (paths.length === 0 ? missingField("paths") : eachOf(paths, (path) => checkPath(path, namespace)).viaField("paths")).viaField("http");
}

function checkTls(tls: IngressTls): FieldErrors {
  const { hosts = [], secretName = "", secretNamespace = "" } = tls;
  if (hosts.length === 0 && secretName === "" && secretNamespace === "") return missingField("");
  return (secretName === "" ? missingField("secretName") : noErrors).also(secretNamespace === "" ? missingField("secretNamespace") : noErrors);
}

export const ingressWebhook: Webhook<Ingress> = {
  defaults: (object) => (object.spec.rules === undefined ? object : { ...object, spec: { ...object.spec, rules: object.spec.rules.map(ruleDefaults) } }),
  validate({ spec, metadata }) {
    const { rules = [], tls = [], httpOption = "" } = spec;
    if (rules.length === 0 && tls.length === 0 && httpOption === "") return missingField("spec");
    const noRules = rules.length === 0 ? missingField("rules") : noErrors;
    const option = ["", "Enabled", "Redirected"].includes(httpOption) ? noErrors : invalidValue(httpOption, "httpOption");
    const inRules = eachOf(rules, (rule) => checkRule(rule, metadata.namespace ?? "")).viaField("rules");
    return noRules.also(inRules, eachOf(tls, checkTls).viaField("tls"), option).viaField("spec");
  },
};

export const serverlessServiceWebhook: Webhook<ServerlessService> = {
  defaults: (object) => object,
  validate({ spec }) {
    const { mode = "", numActivators = 0 } = spec;
    let errors = noErrors;
    if (mode === "") errors = missingField("mode");
    else if (mode !== "Serve" && mode !== "Proxy") errors = invalidValue(mode, "mode");
    if (numActivators < 0) errors = errors.also(invalidValue(numActivators, "numActivators"));
    return errors.also(checkReference(spec.objectRef).viaField("objectRef"), checkProtocol(spec.protocolType)).viaField("spec");
  },
};

export const certificateWebhook: Webhook<Certificate> = {
  defaults: (object) => object,
  validate({ spec }) {
    const { dnsNames, domain = "", secretName } = spec;
    let errors = noErrors;
    if (dnsNames.length === 0) errors = errors.also(missingField("dnsNames"));
    const empty = eachOf(dnsNames, (name) => (name === "" ? invalidValue("", "") : noErrors));
    errors = errors.also(empty.viaField("dnsNames"), secretName === "" ? missingField("secretName") : noErrors);
    const covered = domain === "" || dnsNames.length === 0 || dnsNames.some((name) => name === domain || name.endsWith(domain));
    return (covered ? errors : errors.also(invalidValue(domain, "domain"))).viaField("spec");
  },
};
