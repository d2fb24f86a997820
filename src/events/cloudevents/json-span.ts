// Where members of a JSON text lie. The text is known to be valid: JSON.parse has read it before.
// Data is carried as it was written: numbers keep their digits, and members their order.

const SPACE = 32;
const QUOTE = 34;
const BRACKET = 91;
const BACKSLASH = 92;
const BRACKET_END = 93;
const BRACE = 123;
const BRACE_END = 125;

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
  // JSON has no others up to there.
  while (text.charCodeAt(next) <= SPACE) next++;
  return next;
}

/** The end of the value that begins here. */
function skip(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return skipString(text, at);
  if (first !== BRACE && first !== BRACKET) return skipWord(text, at);
  let depth = 0;
  for (let next = at; ; next++) {
    const code = text.charCodeAt(next);
    if (code === QUOTE) next = skipString(text, next) - 1;
    else if (code === BRACE || code === BRACKET) depth++;
    else if ((code === BRACE_END || code === BRACKET_END) && --depth === 0) return next + 1;
  }
}

/** The next quote that no backslash stands for: one before which they are even in number. */
function skipString(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); ; quote = text.indexOf('"', quote + 1)) {
    let from = quote;
    while (text.charCodeAt(from - 1) === BACKSLASH) from--;
    if ((quote - from) % 2 === 0) return quote + 1;
  }
}

/** Numbers, true, false, null. */
function skipWord(text: string, at: number): number {
  let next = at;
  while (next < text.length && !",]} \n\r\t".includes(text[next] ?? "")) next++;
  return next;
}
