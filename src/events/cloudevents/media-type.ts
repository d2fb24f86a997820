// What a Content-Type says about the data.

/** `type/subtype` in lower case, without parameters. */
export function essence(mediaType: string): string {
  return (mediaType.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/** Data of this type is a JSON value (JSON format 1.0, 3.1.1). */
export function isJson(mediaType: string): boolean {
  return /^[^/]+\/([^/]+\+)?json$/.test(essence(mediaType));
}

/** Data of this type is written for people. */
export function isText(mediaType: string): boolean {
  return /^text\/|[/+]xml$/.test(essence(mediaType)) || /;\s*charset\s*=/i.test(mediaType);
}

/** Undefined without such a parameter. */
export function charsetOf(mediaType: string): string | undefined {
  return /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(mediaType)?.[1]?.toLowerCase();
}
