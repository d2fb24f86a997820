// What a Service or Route asks for all its hosts, in annotations that Knative hands on to the Ingress.
import type { RouteHost } from "#protocol";

const BODY_BYTES_MAX = "eider.dev/request-body-bytes-max";
const REQUESTS_MAX = "eider.dev/requests-max";

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, Ki: 2 ** 10, M: 1e6, Mi: 2 ** 20, G: 1e9, Gi: 2 ** 30 };

/** What cannot be read is no limit. */
export function hostLimits(annotations: Readonly<Record<string, string>> | undefined): Pick<RouteHost, "bodyBytesMax" | "requestsMax"> {
  const bodyBytesMax = wholeNumber(annotations?.[BODY_BYTES_MAX], 0);
  const requestsMax = wholeNumber(annotations?.[REQUESTS_MAX], 1);
  return { ...(bodyBytesMax === undefined ? {} : { bodyBytesMax }), ...(requestsMax === undefined ? {} : { requestsMax }) };
}

/** `10`, `500k`, `10Mi` and the like. */
function wholeNumber(text: string | undefined, least: number): number | undefined {
  const [, digits = "", unit = ""] = /^([0-9]{1,12})(k|Ki|M|Mi|G|Gi)?$/.exec(text ?? "") ?? [];
  const value = digits === "" ? NaN : Number(digits) * (UNITS[unit] ?? NaN);
  return value >= least && Number.isSafeInteger(value) ? value : undefined;
}
