// schema/rules: the engines behind users' schemas. A door of its own: only who serves kinds of users loads the libraries.
import type { Engines } from "../engines.ts";
import { rulesOf } from "./check.ts";
import { pattern } from "./pattern.ts";
import { ruleProblems } from "./problems.ts";

export const engines: Engines = { pattern, rules: rulesOf, ruleProblems };
