// Conversion by a webhook: what it is asked, and what it must answer; labels and annotations are all of the metadata that it may change.
import { unknownFailure } from "#core";
import type { KubeObject } from "#schema";
import type { Convert } from "./stored-versions.ts";
import type { CustomResourceDefinition, WebhookClientConfig } from "./v1.types.ts";

/** Longer conversions are given up, as in Kubernetes. */
const TIMEOUT_MS = 30_000;

export interface WebhookCall {
  readonly config: WebhookClientConfig;
  readonly body: string;
  readonly timeoutMs: number;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly text: string;
}

/** Posts JSON to a webhook; rejects with an Error that says what went wrong on the way. */
export type PostToWebhook = (call: WebhookCall) => Promise<WebhookAnswer>;

interface Review {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly response?: {
    readonly uid?: string;
    readonly convertedObjects?: readonly KubeObject[];
    readonly result?: { readonly status?: string; readonly message?: string };
  };
}

function reviewOf({ status, text }: WebhookAnswer): Review {
  if (status < 200 || status >= 300) throw new Error(`the server responded with the status code ${status}: ${text.slice(0, 500)}`);
  try {
    const review = JSON.parse(text) as unknown;
    if (typeof review === "object" && review !== null) return review;
  } catch {
    // Told below.
  }
  throw new Error("the answer is not a ConversionReview in JSON");
}

/** The objects of an answer; throws an Error for one that is none. */
function convertedIn({ apiVersion, kind, response }: Review, wanted: { readonly version: string; readonly uid: string }): readonly KubeObject[] {
  const expected = `apiextensions.k8s.io/${wanted.version}, Kind=ConversionReview`;
  const got = `${apiVersion ?? ""}, Kind=${kind ?? ""}`;
  if (wanted.version === "v1" && got !== expected) throw new Error(`expected webhook response of ${expected}, got ${got}`);
  if (response === undefined || response === null) throw new Error("no response provided");
  if (wanted.version === "v1" && response.uid !== wanted.uid)
    throw new Error(`expected response.uid=${JSON.stringify(wanted.uid)}, got ${JSON.stringify(response.uid ?? "")}`);
  const { status = "", message = "" } = response.result ?? {};
  if (status !== "Success") throw new Error(message === "" ? `response.result.status was '${status}', not 'Success'` : message);
  return response.convertedObjects ?? [];
}

function checked(before: KubeObject, after: KubeObject, apiVersion: string): KubeObject {
  if (after?.apiVersion !== apiVersion) throw new Error(`invalid groupVersion (expected ${apiVersion}, received ${after?.apiVersion ?? ""})`);
  if (after.kind !== before.kind) throw new Error(`invalid kind (expected ${before.kind}, received ${after.kind})`);
  for (const member of ["name", "namespace", "uid"] as const) {
    const [was, is] = [before.metadata[member] ?? "", after.metadata?.[member] ?? ""];
    if (was !== is) throw new Error(`must have the same ${member === "uid" ? "UID" : member}: ${was} != ${is}`);
  }
  const { labels: _, annotations: __, ...metadata } = before.metadata;
  const { labels, annotations } = after.metadata;
  return { ...after, metadata: { ...metadata, ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) } };
}

/** Asks the webhook of a definition about all objects that are of another version, in one call. */
export function webhookConversion(
  definition: CustomResourceDefinition,
  { post, uuid }: { readonly post: PostToWebhook; readonly uuid: () => string },
): Convert {
  const { webhook } = definition.spec.conversion ?? {};
  return async (objects, apiVersion) => {
    const foreign = objects.filter((object) => object.apiVersion !== apiVersion);
    const [first] = foreign;
    if (first === undefined) return objects;
    const what = `conversion webhook for ${first.apiVersion}, Kind=${first.kind}`;
    const version = webhook?.conversionReviewVersions.find((name) => name === "v1" || name === "v1beta1");
    if (version === undefined || webhook?.clientConfig === undefined) throw unknownFailure("no supported conversion review versions");
    const uid = uuid();
    const request = { uid, desiredAPIVersion: apiVersion, objects: foreign };
    const body = JSON.stringify({ kind: "ConversionReview", apiVersion: `apiextensions.k8s.io/${version}`, request });
    let converted: readonly KubeObject[];
    try {
      converted = convertedIn(reviewOf(await post({ config: webhook.clientConfig, body, timeoutMs: TIMEOUT_MS })), { version, uid });
    } catch (error) {
      throw unknownFailure(`${what} failed: ${(error as Error).message}`);
    }
    if (converted.length !== foreign.length) throw unknownFailure(`${what} returned ${converted.length} objects, expected ${foreign.length}`);
    let next = 0;
    return objects.map((object) => {
      if (object.apiVersion === apiVersion) return object;
      const index = next++;
      try {
        return checked(object, converted[index] as KubeObject, apiVersion);
      } catch (error) {
        throw unknownFailure(`${what} returned invalid converted object at index ${index}: ${(error as Error).message}`);
      }
    });
  };
}
