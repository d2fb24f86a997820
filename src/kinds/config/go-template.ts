// The part of Go's text/template that Knative's settings use: fields, map keys and `index`, no control flow.

/** What a template may name: strings, and maps of strings. */
export type TemplateValues = Readonly<Record<string, string | Readonly<Record<string, string>> | undefined>>;

export interface GoTemplate {
  readonly name: string;
  readonly parts: readonly (string | Action)[];
}

interface Action {
  /** Text between the braces, trimmed, and its column for messages. */
  readonly source: string;
  readonly column: number;
  readonly path: readonly string[];
  readonly key: string | undefined;
}

/** A template, or Go's message for a text that does not parse. */
export function parseGoTemplate(name: string, text: string): GoTemplate | { readonly error: string } {
  const parts: (string | Action)[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("{{", at);
    if (open < 0) break;
    parts.push(text.slice(at, open));
    const close = text.indexOf("}}", open);
    if (close < 0) return { error: `template: ${name}:1: unclosed action` };
    const source = text
      .slice(open + 2, close)
      .replace(/^-\s|\s-$/g, "")
      .trim();
    const action = parseAction(source, open + 2);
    if (action === undefined)
      return {
        error: source === "" ? `template: ${name}:1: missing value for command` : `template: ${name}:1: unexpected ${JSON.stringify(source)} in command`,
      };
    parts.push(action);
    at = close + 2;
  }
  parts.push(text.slice(at));
  return { name, parts: parts.filter((part) => part !== "") };
}

function parseAction(source: string, column: number): Action | undefined {
  const field = /^(?:\.[A-Za-z_]\w*)+$/.exec(source);
  if (field !== null) return { source, column, path: source.slice(1).split("."), key: undefined };
  const index = /^index\s+((?:\.[A-Za-z_]\w*)+)\s+"((?:[^"\\]|\\.)*)"$/.exec(source);
  if (index !== null) return { source, column, path: (index[1] ?? "").slice(1).split("."), key: index[2] };
  return undefined;
}

/** The text, or Go's message when a field does not exist in `typeName`, the Go type of the values. */
export function renderGoTemplate(template: GoTemplate, values: TemplateValues, typeName: string): { readonly text: string } | { readonly error: string } {
  let text = "";
  for (const part of template.parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const [field = "", inner] = part.path;
    const key = part.key ?? inner;
    if (!(field in values)) {
      const where = `template: ${template.name}:1:${part.column}: executing "${template.name}" at <.${part.path.join(".")}>`;
      return { error: `${where}: can't evaluate field ${field} in type ${typeName}` };
    }
    const value = values[field];
    // `index` of a missing key is the empty string; a missing field of a map prints as Go prints it.
    if (typeof value === "object") text += key === undefined ? JSON.stringify(value) : (value[key] ?? (part.key === undefined ? "<no value>" : ""));
    else text += value ?? "";
  }
  return { text };
}
