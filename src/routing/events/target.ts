// Where events go, from the texts of a status.
import type { EventTarget } from "#protocol";

/** Undefined: there is no address. */
export function targetOf(url: string | undefined, caCerts: string | undefined): EventTarget | undefined {
  if (url === undefined || url === "") return undefined;
  return { url, ...(caCerts === undefined || caCerts === "" ? {} : { caCerts }) };
}
