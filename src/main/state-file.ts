// What is told of a platform that is ready, in a file for everybody who reads the data folder.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ReadyState } from "./ready-text.ts";

export class StateFile {
  readonly #file: string;
  #state: ReadyState | undefined;

  constructor(runDir: string) {
    this.#file = join(runDir, "state.json");
  }

  write(state: ReadyState): void {
    this.#state = state;
    writeFileSync(`${this.#file}.new`, JSON.stringify(state), { mode: 0o600, flush: true });
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** How a runtime runs pods has changed; before the platform is ready nobody is told. */
  runtime(name: string, text: string): void {
    if (this.#state !== undefined) this.write({ ...this.#state, runtimes: { ...this.#state.runtimes, [name]: text } });
  }
}
