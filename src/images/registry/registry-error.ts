// Errors of the registry's API, with the codes of the specification ("Error Codes").
import { ImageError } from "../image-error.ts";

export type RegistryCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED"
  | "TOOMANYREQUESTS"
  /** Not in the specification, which leaves 5xx to the registry. */
  | "UNKNOWN";

export type Headers = Readonly<Record<string, string | number>>;

export class RegistryError extends Error {
  readonly status: number;
  readonly code: RegistryCode;
  readonly headers: Headers;
  readonly detail: unknown;

  constructor(status: number, code: RegistryCode, message: string, more: { readonly headers?: Headers; readonly detail?: unknown } = {}) {
    super(message);
    this.name = "RegistryError";
    this.status = status;
    this.code = code;
    this.headers = more.headers ?? {};
    this.detail = more.detail;
  }

  get body(): string {
    const { code, message, detail } = this;
    return JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] });
  }
}

/** Failures of the store as a client may read them; undefined for what nobody expected. */
export function registryErrorOf(error: unknown): RegistryError | undefined {
  if (error instanceof RegistryError) return error;
  if (!(error instanceof ImageError)) return undefined;
  switch (error.reason) {
    case "WrongContent":
      return new RegistryError(400, error.message.includes("digest") ? "DIGEST_INVALID" : "SIZE_INVALID", error.message);
    case "NoSpace":
      return new RegistryError(507, "DENIED", error.message);
    case "InvalidName":
      return new RegistryError(400, "NAME_INVALID", error.message);
    case "NotFound":
      return new RegistryError(404, "BLOB_UNKNOWN", error.message);
    default:
      return new RegistryError(500, "UNKNOWN", error.message);
  }
}
