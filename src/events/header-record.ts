// The header fields of a head that was scanned, by name.

/** Names in lower case; values that came apart are joined as HTTP allows. `fields` are places in `text`, four each. */
export function headerRecord(text: string, fields: readonly number[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i < fields.length; i += 4) {
    const name = text.slice(fields[i], fields[i + 1]).toLowerCase();
    const value = text.slice(fields[i + 2], fields[i + 3]);
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}
