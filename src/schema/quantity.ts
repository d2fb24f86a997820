// Resource quantities: parsed exactly, compared, and written in Kubernetes' canonical form.

/** An exact value in units of 10^-9, with the family of suffixes that it was written in. */
export interface Quantity {
  readonly nano: bigint;
  readonly format: "DecimalSI" | "BinarySI" | "DecimalExponent";
}

const NANO = 1_000_000_000n;
const DECIMAL: readonly (readonly [string, number])[] = [
  ["E", 18],
  ["P", 15],
  ["T", 12],
  ["G", 9],
  ["M", 6],
  ["k", 3],
  ["", 0],
  ["m", -3],
  ["u", -6],
  ["n", -9],
];
const BINARY: readonly (readonly [string, bigint])[] = (["Ei", "Pi", "Ti", "Gi", "Mi", "Ki", ""] as const).map((suffix, index) => [
  suffix,
  1n << BigInt(60 - index * 10),
]);

const TEXT = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE])?$/;
/** Digits beyond this exponent are not quantities but attacks. */
const EXPONENT_MAX = 30;

/** Rounds away from zero to a multiple of 10^-9, as Kubernetes does. */
function scaled(digits: string, exponent: number): bigint {
  const shift = exponent + 9;
  if (shift >= 0) return BigInt(digits) * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (BigInt(digits) + divisor - 1n) / divisor;
}

/** Undefined when the text is not a quantity. */
export function parseQuantity(text: string | number): Quantity | undefined {
  const [, sign, whole = "", fraction = "", suffix = ""] = TEXT.exec(String(text)) ?? [];
  if (sign === undefined || whole + fraction === "" || whole.length + fraction.length > 64) return undefined;
  const digits = whole + fraction;
  let nano: bigint;
  let format: Quantity["format"] = "DecimalSI";
  if (suffix.endsWith("i")) {
    const unit = BINARY.find(([name]) => name === suffix)?.[1] ?? 1n;
    const divisor = 10n ** BigInt(fraction.length);
    nano = (BigInt(digits) * unit * NANO + divisor - 1n) / divisor;
    format = "BinarySI";
  } else if (/^[eE]./.test(suffix)) {
    const exponent = Number(suffix.slice(1));
    if (Math.abs(exponent) > EXPONENT_MAX) return undefined;
    nano = scaled(digits, exponent - fraction.length);
    format = "DecimalExponent";
  } else {
    nano = scaled(digits, (DECIMAL.find(([name]) => name === suffix)?.[1] ?? 0) - fraction.length);
  }
  return { nano: sign === "-" ? -nano : nano, format };
}

/** The shortest exact text: the largest suffix that leaves a whole number; binary ones below 1024 become decimal. */
export function formatQuantity(quantity: Quantity): string {
  const { nano } = quantity;
  if (nano === 0n) return "0";
  const size = nano < 0n ? -nano : nano;
  const sign = nano < 0n ? "-" : "";
  if (quantity.format === "BinarySI" && size % NANO === 0n && size / NANO >= 1024n) {
    const value = size / NANO;
    const [suffix, unit] = BINARY.find(([, factor]) => value % factor === 0n) ?? ["", 1n];
    return `${sign}${value / unit}${suffix}`;
  }
  for (const [suffix, exponent] of DECIMAL) {
    const unit = 10n ** BigInt(exponent + 9);
    if (size % unit !== 0n) continue;
    const tail = quantity.format === "DecimalExponent" ? (exponent === 0 ? "" : `e${exponent}`) : suffix;
    return `${sign}${size / unit}${tail}`;
  }
  return `${sign}${size}n`;
}

/** Negative, zero or positive, as for `sort`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

/** In whole units (cores, bytes), as close as a double comes. */
export function quantityNumber(quantity: Quantity): number {
  return Number(quantity.nano / NANO) + Number(quantity.nano % NANO) / 1e9;
}
