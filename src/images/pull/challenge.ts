// What a registry wants to see (RFC 7235 `WWW-Authenticate`, and the token form of the distribution specification). Pure.

export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service: string | undefined; readonly scope: string | undefined };

const FIELD = /\s*,?\s*([A-Za-z_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;
const SCHEME = /\s*,?\s*([A-Za-z][A-Za-z0-9-]*)(?=\s|$)/y;

/** The first scheme that we know, token before password; undefined when there is none. */
export function challengeOf(header: string | undefined): Challenge | undefined {
  const challenges = header === undefined ? [] : allOf(header);
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  const realm = bearer?.fields.get("realm");
  if (realm !== undefined && URL.canParse(realm) && /^https?:/i.test(realm)) {
    return { scheme: "bearer", realm, service: bearer?.fields.get("service"), scope: bearer?.fields.get("scope") };
  }
  return challenges.some(({ scheme }) => scheme === "basic") ? { scheme: "basic" } : undefined;
}

function allOf(header: string): { readonly scheme: string; readonly fields: Map<string, string> }[] {
  const found: { readonly scheme: string; readonly fields: Map<string, string> }[] = [];
  for (let at = 0; at < header.length;) {
    SCHEME.lastIndex = at;
    const scheme = SCHEME.exec(header);
    if (scheme === null) return found;
    at = SCHEME.lastIndex;
    const fields = new Map<string, string>();
    for (;;) {
      FIELD.lastIndex = at;
      const field = FIELD.exec(header);
      if (field === null) break;
      at = FIELD.lastIndex;
      fields.set((field[1] ?? "").toLowerCase(), field[2]?.replace(/\\(.)/g, "$1") ?? field[3] ?? "");
    }
    found.push({ scheme: (scheme[1] ?? "").toLowerCase(), fields });
  }
  return found;
}
