// Where a text stops being base64, in Go's counting.

const DIGIT = /[A-Za-z0-9+/]/;

/** The byte at which Go's decoder gives up; undefined for a text that is base64. Line ends are passed over. */
export function base64Error(text: string): number | undefined {
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  let digits = 0;
  let at = 0;
  const passLineEnds = (): void => {
    while (text[at] === "\n" || text[at] === "\r") at++;
  };
  for (passLineEnds(); at < text.length; passLineEnds()) {
    const char = text[at++] ?? "";
    if (DIGIT.test(char)) {
      digits = (digits + 1) % 4;
      continue;
    }
    if (char !== "=" || digits < 2) return at - 1;
    passLineEnds();
    // Two digits need a second sign.
    if (digits === 2) {
      if (at === text.length) return text.length;
      if (text[at] !== "=") return at - 1;
      at++;
    }
    passLineEnds();
    return at < text.length ? at : undefined;
  }
  return digits === 0 ? undefined : at - digits;
}
