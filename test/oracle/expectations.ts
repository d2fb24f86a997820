// What the real server answered, recorded by the project itself: one file an area, one line an answer.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fingerprintOf, type Scenario } from "./corpus.ts";
import type { Normal } from "./normalise.ts";

interface Recorded {
  /** Of the scenario as it was asked. */
  readonly of: string;
  readonly answers: readonly Normal[];
}

type File = Record<string, Recorded>;

const folder = join(import.meta.dirname, "expectations");
const pathOf = (area: string): string => join(folder, `${area}.json`);

function readFile(area: string): File {
  return existsSync(pathOf(area)) ? (JSON.parse(readFileSync(pathOf(area), "utf8")) as File) : {};
}

export function createExpectations() {
  const files = new Map<string, File>();
  const fileOf = (area: string): File => {
    const file = files.get(area) ?? readFile(area);
    files.set(area, file);
    return file;
  };
  return {
    /** A text says why there is no recording to compare with. */
    of(scenario: Scenario): readonly Normal[] | string {
      const recorded = fileOf(scenario.area)[scenario.name];
      if (recorded === undefined) return "not recorded: npm run oracle -- --record";
      return recorded.of === fingerprintOf(scenario) ? recorded.answers : "changed since it was recorded: npm run oracle -- --record";
    },
    set(scenario: Scenario, answers: readonly Normal[]): void {
      fileOf(scenario.area)[scenario.name] = { of: fingerprintOf(scenario), answers };
    },
    /** Writes the areas that were used, in alphabetical order and without scenarios that are in no file any more. */
    save(corpus: readonly Scenario[]): void {
      for (const [area, file] of files) {
        const known = corpus.filter((scenario) => scenario.area === area && file[scenario.name] !== undefined).map(({ name }) => name);
        const entries = known.sort().map((name) => {
          const { of, answers } = file[name] as Recorded;
          return `${JSON.stringify(name)}: {"of": ${JSON.stringify(of)}, "answers": [\n${answers.map((answer) => JSON.stringify(answer)).join(",\n")}\n]}`;
        });
        writeFileSync(pathOf(area), `{\n${entries.join(",\n")}\n}\n`);
      }
    },
  };
}
