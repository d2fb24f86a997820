// Which files of a source folder stay out of the image: always some, and a subset of .dockerignore's language.

/** Never part of an image. */
const ALWAYS = [".git", "**/.git", "node_modules/.cache", ".eiderignore", ".dockerignore", "**/.DS_Store"];

interface Rule {
  readonly keep: boolean;
  readonly matches: RegExp;
}

/** Decides by a path relative to the folder, with `/`; a match of a parent counts for what is below it. */
export type Ignores = (path: string) => boolean;

/** `text` is the content of `.eiderignore` or `.dockerignore`: one pattern a line, `#`, `!`, `*`, `?`, `**`. The last match decides. */
export function parseIgnore(text: string): Ignores {
  const own = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const rules = [...own, ...ALWAYS].map(ruleFor);
  return (path) => rules.reduce((ignored, rule) => (rule.matches.test(path) ? !rule.keep : ignored), false);
}

function ruleFor(line: string): Rule {
  const keep = line.startsWith("!");
  const pattern = (keep ? line.slice(1) : line).replace(/^\.?\/+/, "").replace(/\/+$/, "");
  const source = pattern.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, (token) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    return token === "?" ? "[^/]" : `\\${token}`;
  });
  return { keep, matches: new RegExp(`^${source}(?:/|$)`) };
}
