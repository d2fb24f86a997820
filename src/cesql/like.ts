// Patterns of LIKE (specification, 3.4.3): `%` is any run of characters, `_` one character, a backslash makes either of them literal.
// Pieces between two `%` are looked for one after another, each as early as possible: no pattern takes more than text times pattern.

type Match = (text: string) => boolean;

/** Characters in the sense of Unicode; undefined stands for `_`. */
type Piece = readonly (string | undefined)[];

export function likeMatcher(pattern: string): Match {
  const pieces = piecesOf(pattern);
  if (pieces.every((piece) => !piece.includes(undefined))) return plainMatcher(pieces.map((piece) => piece.join("")));
  return (text) => matchPieces([...text], pieces);
}

function piecesOf(pattern: string): Piece[] {
  const pieces: (string | undefined)[][] = [[]];
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index];
    const next = characters[index + 1];
    if (character === "\\" && (next === "%" || next === "_")) {
      pieces.at(-1)?.push(next);
      index++;
    } else if (character === "%") pieces.push([]);
    else pieces.at(-1)?.push(character === "_" ? undefined : character);
  }
  return pieces;
}

/** Without `_` the engine's own search does. */
function plainMatcher(pieces: readonly string[]): Match {
  const first = pieces[0] ?? "";
  if (pieces.length === 1) return (text) => text === first;
  const last = pieces.at(-1) ?? "";
  const middle = pieces.slice(1, -1).filter((piece) => piece !== "");
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let from = first.length;
    for (const piece of middle) {
      const at = text.indexOf(piece, from);
      if (at < 0) return false;
      from = at + piece.length;
    }
    return from <= text.length - last.length;
  };
}

function matchPieces(text: readonly string[], pieces: readonly Piece[]): boolean {
  const first = pieces[0] ?? [];
  const last = pieces.at(-1) ?? [];
  if (!fits(text, 0, first)) return false;
  if (pieces.length === 1) return text.length === first.length;
  const end = text.length - last.length;
  let from = first.length;
  for (const piece of pieces.slice(1, -1)) {
    while (from + piece.length <= end && !fits(text, from, piece)) from++;
    from += piece.length;
  }
  return from <= end && fits(text, end, last);
}

function fits(text: readonly string[], at: number, piece: Piece): boolean {
  return at + piece.length <= text.length && piece.every((character, index) => character === undefined || character === text[at + index]);
}
