// How an app is started: from its Procfile, its package.json, or the files that are there. Pure.

/** Characters that only a shell understands. */
const SHELL_ONLY = /[;&|<>`"'\\*?()~#\n]|\$\(/;
const ASSIGNMENT = /^[A-Za-z_]\w*=/;
const ENTRY_FILES = ["index", "server", "app", "main", "src/index", "src/server", "src/main", "src/app"].flatMap((name) =>
  ["js", "cjs", "mjs", "ts", "cts", "mts"].map((extension) => `${name}.${extension}`),
);

export interface PackageJson {
  readonly main?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The command of process type `web`; undefined without one. */
export function webCommandOf(procfile: string): string | undefined {
  return /^web:[ \t]*(\S.*?)[ \t]*$/m.exec(procfile)?.[1];
}

/** argv for a command line. A shell that gets signals in its program's stead would end at once, so it hands over with `exec` where it can. */
export function argvFor(command: string): readonly string[] {
  const words = command.split(/\s+/);
  const plain = !SHELL_ONLY.test(command);
  const assigns = ASSIGNMENT.test(words[0] ?? "");
  if (plain && !command.includes("$") && !assigns) return words;
  return ["/bin/sh", "-c", plain ? `exec ${assigns ? "env " : ""}${command}` : command];
}

/** Undefined when nothing says how to start the app. */
export function nodeArgvFor(manifest: PackageJson, hasFile: (path: string) => boolean): readonly string[] | undefined {
  const start = manifest.scripts?.["start"];
  if (start !== undefined && start.trim() !== "") {
    const argv = argvFor(start.trim());
    // npm puts the dependencies' own commands on the PATH of scripts.
    return argv[0] === "node"
      ? argv
      : ["/bin/sh", "-c", `PATH="$PWD/node_modules/.bin:$PATH"; export PATH; ${argv[0] === "/bin/sh" ? argv[2] : `exec ${argv.join(" ")}`}`];
  }
  const main = manifest.main?.replace(/^\.\//, "");
  const entry = main !== undefined && hasFile(main) ? main : main !== undefined && hasFile(`${main}.js`) ? `${main}.js` : ENTRY_FILES.find(hasFile);
  return entry === undefined ? undefined : ["node", entry];
}
