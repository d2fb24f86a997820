// The seeds' story: in a minute as part of `npm test`, at its full length by `npm run e2e`.
import { seedsStory, type StorySettings } from "./seeds-story.ts";

const FULL: StorySettings = { clients: 500, loadMs: 60_000, short: undefined, stableWindowMs: 60_000, graceMs: 30_000, uncapped: true };
const SHORT: StorySettings = {
  clients: 250,
  loadMs: 10_000,
  short: { window: "6s", grace: "1s" },
  stableWindowMs: 6_000,
  graceMs: 1_000,
  uncapped: false,
};

seedsStory(process.env["EIDER_E2E"] === "full" ? FULL : SHORT);
