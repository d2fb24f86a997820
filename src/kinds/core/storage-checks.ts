// What claims of storage and the volumes behind them have in common: access modes, sizes, classes, their texts.
import { fieldError, formatQuantity, names, parseQuantity, type FieldError, type KubeObject } from "#schema";

export const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES = ["Block", "Filesystem"];
const SHORT: readonly (readonly [string, string])[] = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
];

/** As clients of old named a class; it still goes before the field. */
const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

export function accessModeErrors(field: string, modes: readonly string[]): FieldError[] {
  const single = modes.includes("ReadWriteOncePod") && modes.some((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(mode));
  return [
    ...modes.filter((mode) => !ACCESS_MODES.includes(mode)).map((mode) => fieldError.notSupported(field, mode, ACCESS_MODES)),
    ...(single ? [fieldError.forbidden(field, "may not use ReadWriteOncePod with other access modes")] : []),
  ];
}

/** Of a size that is there. */
export function positiveErrors(field: string, value: string | number): FieldError[] {
  const quantity = parseQuantity(value);
  return quantity === undefined || quantity.nano > 0n ? [] : [fieldError.invalid(field, formatQuantity(quantity), "must be greater than zero")];
}

/** Of the name of a class; an empty one stands for none. */
export function classNameErrors(field: string, name: string | undefined): FieldError[] {
  return name === undefined || name === "" ? [] : names.dnsSubdomain(name).map((detail) => fieldError.invalid(field, name, detail));
}

export function volumeModeErrors(field: string, mode: string | undefined): FieldError[] {
  return mode === undefined || VOLUME_MODES.includes(mode) ? [] : [fieldError.notSupported(field, mode, VOLUME_MODES)];
}

/** `RWO,RWX`. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return SHORT.filter(([mode]) => modes?.includes(mode) === true)
    .map(([, short]) => short)
    .join(",");
}

/** The size in a list of resources, `0` where none is said. */
export function storageText(resources: Readonly<Record<string, string | number>> | undefined): string {
  return String(resources?.["storage"] ?? "0");
}

/** The class that is asked for or belonged to; undefined where nobody said a word about one. */
export function storageClassOf({ metadata, spec }: KubeObject & { readonly spec?: { readonly storageClassName?: string } }): string | undefined {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName;
}

export const terminatingOr = ({ metadata }: KubeObject, phase: string | undefined): string =>
  metadata.deletionTimestamp === undefined ? (phase ?? "") : "Terminating";
