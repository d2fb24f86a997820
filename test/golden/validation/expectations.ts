// Recorded single requests whose answers differ, each with the reason. One that passes unexpectedly fails the tests.

const DOMAINS = "domains: DomainMapping";

export const VALIDATION_EXPECTATIONS: Readonly<Record<string, string>> = {
  "ok-domainmapping-ns": DOMAINS,
  "domain-numeric-tld": DOMAINS,
  "domain-tls-no-secret": DOMAINS,
  "domain-single-label": DOMAINS,
  "domain-cluster-local-2": DOMAINS,
  "domain-upper": DOMAINS,
  "domain-wildcard": DOMAINS,
  "domain-no-ref-name": DOMAINS,
  "domain-no-ref-kind": DOMAINS,
  "domain-no-ref-apiversion": DOMAINS,
  "domain-group": DOMAINS,
  "domain-generate-name": DOMAINS,
  "update-dm-ref-ns": DOMAINS,
  "ingress-no-http": "the real webhook crashes; the missing field is named instead",
};
