// Finds keys that occur twice in one object of a JSON text, which JSON.parse drops silently.

interface Frame {
  /** Undefined in a list. */
  readonly keys: Set<string> | undefined;
  readonly path: string;
  index: number;
  key: string;
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;

function pathOf(frame: Frame | undefined): string {
  if (frame === undefined) return "";
  if (frame.keys === undefined) return `${frame.path}[${frame.index}]`;
  return frame.path === "" ? frame.key : `${frame.path}.${frame.key}`;
}

/** Texts such as `duplicate field "spec.replicas"`, in order of occurrence, each once; `text` is JSON that parses. */
export function duplicateFields(text: string): string[] {
  const frames: Frame[] = [];
  const found = new Set<string>();
  let expectsKey = false;
  for (const [token] of text.matchAll(TOKENS)) {
    const top = frames.at(-1);
    if (token === "{" || token === "[") {
      frames.push({ keys: token === "{" ? new Set() : undefined, path: pathOf(top), index: 0, key: "" });
      expectsKey = token === "{";
    } else if (token === "}" || token === "]") {
      frames.pop();
      expectsKey = false;
    } else if (token === ",") {
      if (top !== undefined) top.index++;
      expectsKey = top?.keys !== undefined;
    } else if (expectsKey && token.startsWith('"') && top?.keys !== undefined) {
      top.key = JSON.parse(token) as string;
      if (top.keys.has(top.key)) found.add(`duplicate field "${pathOf(top)}"`);
      top.keys.add(top.key);
      expectsKey = false;
    }
  }
  return [...found];
}
