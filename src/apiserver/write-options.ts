// The query parameters of a write: who manages what is written, how strict it is checked, whether it is written at all.
import { fieldError, managerErrors, managerName, type FieldError, type FieldValidation } from "#schema";
import { invalid } from "./errors.ts";

const FIELD_VALIDATIONS = ["", "Ignore", "Strict", "Warn"];

export interface WriteOptions {
  /** "" when the client says none. */
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly dryRun: boolean;
  /** An apply takes fields from their managers. */
  readonly force: boolean;
}

/** Of what is no write, or has options of its own. */
export const NO_OPTIONS: WriteOptions = { fieldManager: "", fieldValidation: "Warn", dryRun: false, force: false };

/** What is being asked for: decides which parameters there are. */
export type WriteKind = "create" | "update" | "patch" | "apply";

const NAMES = { create: "CreateOptions", update: "UpdateOptions", patch: "PatchOptions", apply: "PatchOptions" } as const;

function isTrue(value: string): boolean {
  return value.toLowerCase() !== "false" && value !== "0";
}

function forceErrors(kind: WriteKind, query: URLSearchParams): FieldError[] {
  if (kind === "apply") return query.get("fieldManager") ? [] : [fieldError.required("fieldManager", "is required for apply patch")];
  return kind === "patch" && query.has("force") ? [fieldError.forbidden("force", "may not be specified for non-apply patch")] : [];
}

function dryRunErrors(values: readonly string[]): FieldError[] {
  if (values.every((value) => value === "All")) return [];
  return [{ type: "FieldValueNotSupported", field: "dryRun", message: `Unsupported value: ${JSON.stringify(values)}: supported values: "All"` }];
}

/** Throws Invalid with every problem. */
export function writeOptions(kind: WriteKind, query: URLSearchParams): WriteOptions {
  const fieldManager = query.get("fieldManager") ?? "";
  const asked = query.get("fieldValidation") ?? "";
  const dryRun = query.getAll("dryRun");
  const errors = [...forceErrors(kind, query), ...managerErrors("fieldManager", fieldManager), ...dryRunErrors(dryRun)];
  if (!FIELD_VALIDATIONS.includes(asked)) errors.push(fieldError.notSupported("fieldValidation", asked, FIELD_VALIDATIONS));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: NAMES[kind] }, "", errors);
  const fieldValidation = asked === "" ? "Warn" : (asked as FieldValidation);
  return { fieldManager, fieldValidation, dryRun: dryRun.includes("All"), force: isTrue(query.get("force") ?? "false") };
}

/** Who manages what an unnamed client writes: the program of its User-Agent. "" when it says none. */
export function managerOf(fieldManager: string, userAgent: string | undefined): string {
  return fieldManager === "" ? managerName((userAgent ?? "").split("/", 1)[0] ?? "") : fieldManager;
}
