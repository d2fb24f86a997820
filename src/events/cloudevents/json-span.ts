// Where members of a JSON text lie. The text is known to be valid: JSON.parse has read it before.
// Data is carried as it was written: numbers keep their digits, and members their order.

/** A text's part: from, to. */
export type Span = readonly [from: number, to: number];

/** The last member of that name of the object that begins at `at`, as JSON.parse takes it. */
export function memberSpan(text: string, at: number, name: string): Span | undefined {
  let found: Span | undefined;
  let next = blanks(text, at) + 1;
  for (;;) {
    next = blanks(text, next);
    if (text[next] === "}") return found;
    if (text[next] === ",") next = blanks(text, next + 1);
    const keyEnd = skip(text, next);
    const key = JSON.parse(text.slice(next, keyEnd)) as string;
    const from = blanks(text, blanks(text, keyEnd) + 1);
    const to = skip(text, from);
    if (key === name) found = [from, to];
    next = to;
  }
}

/** Of the array that begins at `at`. */
export function elementSpans(text: string, at: number): Span[] {
  const spans: Span[] = [];
  let next = blanks(text, at) + 1;
  for (;;) {
    next = blanks(text, next);
    if (text[next] === "]") return spans;
    if (text[next] === ",") next = blanks(text, next + 1);
    const to = skip(text, next);
    spans.push([next, to]);
    next = to;
  }
}

function blanks(text: string, at: number): number {
  let next = at;
  while (text[next] === " " || text[next] === "\n" || text[next] === "\r" || text[next] === "\t") next++;
  return next;
}

/** The end of the value that begins here. */
function skip(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return skipString(text, at);
  if (first !== "{" && first !== "[") return skipWord(text, at);
  let depth = 0;
  for (let next = at; ; next++) {
    const character = text[next];
    if (character === '"') next = skipString(text, next) - 1;
    else if (character === "{" || character === "[") depth++;
    else if ((character === "}" || character === "]") && --depth === 0) return next + 1;
  }
}

function skipString(text: string, at: number): number {
  for (let next = at + 1; ; next++) {
    const character = text[next];
    if (character === "\\") next++;
    else if (character === '"') return next + 1;
  }
}

/** Numbers, true, false, null. */
function skipWord(text: string, at: number): number {
  let next = at;
  while (next < text.length && !",]} \n\r\t".includes(text[next] ?? "")) next++;
  return next;
}
