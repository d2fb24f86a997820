// A host process that asks the cluster for names: its start goes by way of the mount namespace in which /etc/resolv.conf says so. Pure, but for
// a look at whether the program is there.
//
//   nsenter (as root: namespace, user, working folder) → program
//   nsenter → env (variables that steer programs, folder) → program
import { existsSync, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import type { ProcessSpec } from "#protocol";
import type { NamesView } from "../names/names-views.ts";

/** What glibc itself takes away from programs that may more than who starts them: `nsenter` runs as root. */
const STEERING =
  /^(?:LD_.*|MALLOC_.*|GLIBC_TUNABLES|GCONV_PATH|GETCONF_DIR|HOSTALIASES|LOCALDOMAIN|LOCPATH|NIS_PATH|NLSPATH|RESOLV_HOST_CONF|RES_OPTIONS|TZDIR)$/;

/** `argv` of the spec is a program that is there: what is missing is told by a start that goes straight to it. */
export function throughNames<Spec extends Pick<ProcessSpec, "env" | "cwd" | "user" | "through">>(spec: Spec, view: NamesView): Spec {
  const steers = Object.entries(spec.env).filter(([name]) => STEERING.test(name));
  const { user, cwd } = spec;
  return {
    ...spec,
    env: Object.fromEntries(Object.entries(spec.env).filter(([name]) => !STEERING.test(name))),
    through: [
      view.nsenter,
      `--mount=${view.namespace}`,
      ...(user === undefined ? [] : [`--setgid=${user.gid}`, `--setuid=${user.uid}`]),
      ...(view.setsFolder ? [`--wdns=${cwd}`] : []),
      "--",
      ...(view.setsFolder && steers.length === 0 ? [] : [view.env, "-C", cwd, "--", ...steers.map(([name, value]) => `${name}=${value}`)]),
    ],
  };
}

/** Whether a start on the way through other programs finds the program; `=` in its name would mean a variable to `env`. */
export function isThere({ argv: [program = ""], env, cwd }: Pick<ProcessSpec, "argv" | "env" | "cwd">): boolean {
  if (program.includes("=")) return false;
  const places = program.includes("/") ? [resolve(cwd, program)] : (env["PATH"] ?? "").split(delimiter).map((folder) => resolve(cwd, folder, program));
  return existsSync(cwd) && places.some(isExecutable);
}

function isExecutable(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
}
