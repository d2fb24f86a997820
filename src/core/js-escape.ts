// Go's `js` of templates: text that may stand inside a string of JavaScript or JSON.

const SPECIAL: Readonly<Record<string, string>> = { "\\": "\\\\", "'": "\\'", '"': '\\"' };

/** `text` is latin1, one character an octet; UTF-8 in it stays, octets that are none become U+FFFD. */
export function jsEscape(text: string): string {
  if (/^[\w\-./:*;,?#@!$()+%~ ]*$/.test(text)) return text;
  const ascii = (part: string): string => part.replaceAll(/[\\'"<>&=\p{Cc}]/gu, (c) => SPECIAL[c] ?? unicode(c));
  if (/^\p{ASCII}*$/u.test(text)) return ascii(text);
  const decoded = Buffer.from(text, "latin1").toString("utf8");
  const escaped = ascii(decoded).replaceAll("\ufffd", unicode);
  return Buffer.from(escaped, "utf8").toString("latin1");
}

function unicode(c: string): string {
  return `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}
