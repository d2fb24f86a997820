// Where events go: an object that has an address, a URI, or both (eventing.md §0.4).
import { X509Certificate } from "node:crypto";
import { s, type ValueOf } from "#schema";
import { fieldError, invalidValue, noErrors, type FieldErrors } from "../knative-field-error.ts";
import { checkKReference, KReferenceSchema, withNamespace, type ReferenceRules } from "./reference.ts";

export const destinationFields = {
  CACerts: s.optional(s.string()),
  audience: s.optional(s.string()),
  ref: s.optional(KReferenceSchema),
  uri: s.optional(s.string()),
};
export const DestinationSchema = s.object(destinationFields);
/** A relative `uri` beside a `ref` is resolved against the object's address. */
export type Destination = ValueOf<typeof DestinationSchema>;

const CERTIFICATE = /-----BEGIN ([^-]+)-----[\s\S]*?-----END \1-----/;

function checkCertificates(pem: string): FieldErrors {
  const [block, label] = CERTIFICATE.exec(pem) ?? [];
  if (block === undefined) return invalidValue("CA Cert provided is invalid", "caCert");
  if (label !== "CERTIFICATE") return invalidValue("CA Cert provided is not a certificate", "caCert");
  try {
    void new X509Certificate(block);
    return noErrors;
  } catch {
    return invalidValue("CA Cert provided is invalid", "caCert");
  }
}

/** Whether a URI has a scheme. */
const isAbsolute = (uri: string): boolean => /^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri);

/** The URL when it has both scheme and host. */
export function absoluteUrl(uri: string): URL | undefined {
  const parsed = isAbsolute(uri) ? (URL.parse(uri) ?? undefined) : undefined;
  return parsed === undefined || parsed.host === "" ? undefined : parsed;
}

/** Errors at the destination. Certificates are looked at only where there is a URI, as in Knative. */
export function checkDestination(destination: Destination | undefined, rules: ReferenceRules): FieldErrors {
  const { ref, CACerts } = destination ?? {};
  const uri = destination?.uri === "" ? undefined : destination?.uri;
  if (ref === undefined && uri === undefined) return fieldError("expected at least one, got none", ["ref", "uri"]);
  if (ref !== undefined && uri !== undefined && isAbsolute(uri)) {
    return fieldError("Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present", ["[apiVersion, kind, name]", "ref", "uri"]);
  }
  if (ref === undefined && uri !== undefined && absoluteUrl(uri) === undefined) {
    return invalidValue("Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent", "uri");
  }
  if (ref !== undefined && uri === undefined) return checkKReference(ref, rules).viaField("ref");
  return CACerts === undefined ? noErrors : checkCertificates(CACerts);
}

/** The destination with the namespace of the object that holds it, where its reference names none. */
export function destinationDefaults<D extends Destination>(destination: D, namespace: string): D {
  return destination.ref === undefined ? destination : { ...destination, ref: withNamespace(destination.ref, namespace) };
}
