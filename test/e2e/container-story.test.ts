// The seeds' story on containers: an image pushed into the platform's own registry by the real podman, deployed and deleted by the real kn.
import { needsDaemon, pushStory } from "./container-world.ts";
import { seedsStory } from "./seeds-story.ts";

seedsStory({
  clients: 250,
  loadMs: 10_000,
  short: { window: "6s", grace: "1s" },
  stableWindowMs: 6_000,
  graceMs: 1_000,
  uncapped: false,
  inContainers: { skip: needsDaemon, push: pushStory },
});
