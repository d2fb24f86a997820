// Field errors in Knative's form: they learn their paths on the way up and are merged when rendered (serving.md §1.4).

export interface KnativeFieldError {
  readonly message: string;
  readonly paths: readonly string[];
  readonly details: string;
  readonly level: "error" | "warning";
}

/** Any number of field errors; every method gives a new value, and an empty one stands for "nothing wrong". */
export class FieldErrors {
  readonly all: readonly KnativeFieldError[];

  constructor(all: readonly KnativeFieldError[]) {
    this.all = all;
  }

  get isEmpty(): boolean {
    return this.all.length === 0;
  }

  also(...others: readonly FieldErrors[]): FieldErrors {
    return new FieldErrors([...this.all, ...others.flatMap((other) => other.all)]);
  }

  /** The same errors one or more fields further down. */
  viaField(...prefix: readonly string[]): FieldErrors {
    if (this.isEmpty) return this;
    return new FieldErrors(this.all.map((error) => ({ ...error, paths: error.paths.map((path) => flatten([...prefix, path])) })));
  }

  viaIndex(index: number): FieldErrors {
    return this.viaField(`[${index}]`);
  }

  viaFieldIndex(field: string, index: number): FieldErrors {
    return this.viaIndex(index).viaField(field);
  }

  viaKey(key: string): FieldErrors {
    return this.viaField(`[${key}]`);
  }

  at(level: KnativeFieldError["level"]): FieldErrors {
    return new FieldErrors(this.all.filter((error) => error.level === level));
  }

  asWarnings(): FieldErrors {
    return new FieldErrors(this.all.map((error) => ({ ...error, level: "warning" })));
  }

  /** One line per message, details below it: equal ones merged, paths and messages sorted. */
  render(): string {
    return merged(this.all)
      .map(({ message, paths, details }) => `${message}: ${paths.join(", ")}${details === "" ? "" : `\n${details}`}`)
      .join("\n");
  }
}

/** An index joins the part before it; other parts are joined by dots; empty parts vanish. */
function flatten(parts: readonly string[]): string {
  const path: string[] = [];
  for (const part of parts.flatMap((text) => text.split("."))) {
    if (part === "") continue;
    if (path.length > 0 && part.startsWith("[") && part.endsWith("]")) path.push(`${path.pop() ?? ""}${part}`);
    else path.push(part);
  }
  return path.join(".");
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function merged(errors: readonly KnativeFieldError[]): KnativeFieldError[] {
  const groups = new Map<string, KnativeFieldError>();
  for (const error of errors) {
    const key = JSON.stringify([error.level, error.message, error.details]);
    const paths = [...(groups.get(key)?.paths ?? []), ...error.paths];
    groups.set(key, { ...error, paths: [...new Set(paths)].sort(compare) });
  }
  return [...groups.values()].sort((a, b) => compare(a.message, b.message) || compare(a.details, b.details) || compare(a.level, b.level));
}

export const noErrors = new FieldErrors([]);

/** An error with any text. The path "" stands for the value at hand; an empty list for no path at all, however far up. */
export function fieldError(message: string, paths: string | readonly string[] = "", details = ""): FieldErrors {
  return new FieldErrors([{ message, paths: typeof paths === "string" ? [paths] : paths, details, level: "error" }]);
}

export function fieldWarning(message: string, paths: string | readonly string[], details = ""): FieldErrors {
  return fieldError(message, paths, details).asWarnings();
}

export const missingField = (...paths: readonly string[]): FieldErrors => fieldError("missing field(s)", paths);
export const disallowedFields = (...paths: readonly string[]): FieldErrors => fieldError("must not set the field(s)", paths);
export const missingOneOf = (...paths: readonly string[]): FieldErrors => fieldError("expected exactly one, got neither", paths);
export const multipleOneOf = (...paths: readonly string[]): FieldErrors => fieldError("expected exactly one, got both", paths);

export function invalidValue(value: string | number, path: string, details = ""): FieldErrors {
  return fieldError(`invalid value: ${value}`, path, details);
}

export function invalidKeyName(key: string, path: string, details = ""): FieldErrors {
  return fieldError(`invalid key name ${JSON.stringify(key)}`, path, details);
}

/** `value`, `least` and `most` as they are printed. */
export function outOfBounds(value: string | number, bounds: readonly [least: string | number, most: string | number], path: string): FieldErrors {
  return fieldError(`expected ${bounds[0]} <= ${value} <= ${bounds[1]}`, path);
}

/** All errors of a list, each under its index. */
export function eachOf<T>(items: readonly T[] | undefined, check: (item: T, index: number) => FieldErrors): FieldErrors {
  return noErrors.also(...(items ?? []).map((item, index) => check(item, index).viaIndex(index)));
}
