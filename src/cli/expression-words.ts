// An expression may begin with a minus sign, which the command line would take for an option: `eider event eval "-count < 3"`.

const WITH_VALUE: ReadonlySet<string> = new Set(["-o", "--output", "--event"]);
const ALONE = /^(--output=.*|--event=.*|-o=?(json|yaml)|-h|--help)$/s;

/** The same words with the expression behind `--` when it needs that. Words of other commands are not touched. */
export function withExpressionLast(argv: readonly string[]): readonly string[] {
  const [group, command, ...words] = argv;
  if (group !== "event" || command !== "eval" || words.includes("--")) return argv;
  const options: string[] = [];
  const others: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (WITH_VALUE.has(word)) options.push(...words.slice(index, ++index + 1));
    else (ALONE.test(word) ? options : others).push(word);
  }
  return others[0]?.startsWith("-") === true ? [group, command, ...options, "--", ...others] : argv;
}
