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

/** Calls `onKey` for every key of a JSON text, with its path and whether it stood before. */
function scanKeys(text: string, onKey: (path: string, isAgain: boolean) => void): void {
  const frames: Frame[] = [];
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
      onKey(pathOf(top), top.keys.has(top.key));
      top.keys.add(top.key);
      expectsKey = false;
    }
  }
}

/** Texts such as `duplicate field "spec.replicas"`, in order of occurrence, each once; `text` is JSON that parses. */
export function duplicateFields(text: string): string[] {
  const found = new Set<string>();
  scanKeys(text, (path, isAgain) => void (isAgain && found.add(`duplicate field "${path}"`)));
  return [...found];
}

/** Complaints about duplicate and unknown fields in the order in which a reader of the text meets them. */
export function inTextOrder(text: string, problems: readonly string[]): string[] {
  const left = new Set(problems);
  const ordered: string[] = [];
  scanKeys(text, (path, isAgain) => {
    const names = isAgain ? [`duplicate field "${path}"`] : [`unknown field ${JSON.stringify(path)}`];
    for (const problem of names) if (left.delete(problem)) ordered.push(problem);
  });
  return [...ordered, ...left];
}
