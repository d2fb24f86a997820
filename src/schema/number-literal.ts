// Numbers of JSON whose text matters: doubles lose digits of large ones, and Go tells 1 from 1.0.
import { badRequest } from "#core";

/** A number as it was written. Only typed decoding meets it: what it returns has none. */
export class NumberLiteral {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** Whole and without an exponent: what Go takes for an integer. */
  get isInteger(): boolean {
    return /^-?\d+$/.test(this.source);
  }

  toJSON(): number {
    return Number(this.source);
  }
}

/** Fractions, exponents, and digits beyond 2^53; what looks like one within a text costs time only. */
const ODD = /[:[,\s](?=-?\d)-?(?:\d+[.eE]|\d{16})/;

export function beyondExact(source: string): Error {
  return badRequest(`json: number ${source} is beyond 2^53: it cannot be kept exactly`);
}

/** The number of a literal whose fractions are welcome. Throws for an integer that would be changed. */
function exactNumber(literal: NumberLiteral): number {
  const value = Number(literal.source);
  if (literal.isInteger && !Number.isSafeInteger(value)) throw beyondExact(literal.source);
  return value;
}

type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** As `JSON.parse`, with `NumberLiteral`s for all numbers that are not plain small integers. */
export function parseWithLiterals(text: string): unknown {
  if (!ODD.test(text)) return JSON.parse(text);
  const revive: Reviver = (_key, value, context) => {
    if (typeof value !== "number" || context?.source === undefined) return value;
    return /^-?\d{1,15}$/.test(context.source) ? value : new NumberLiteral(context.source);
  };
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}

function holdsLiteral(value: unknown): boolean {
  if (value instanceof NumberLiteral) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsLiteral);
}

function replaced(value: unknown): unknown {
  if (value instanceof NumberLiteral) return exactNumber(value);
  if (Array.isArray(value)) return value.map(replaced);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replaced(member)]));
}

/** The same value with numbers for literals; see `exactNumber`. */
export function withExactNumbers(value: unknown): unknown {
  return holdsLiteral(value) ? replaced(value) : value;
}
