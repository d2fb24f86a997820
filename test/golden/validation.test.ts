// Recorded requests to a real cluster, sent to the whole control plane: same code, Status or object, and warnings.
import { VALIDATION_EXPECTATIONS } from "./validation/expectations.ts";
import { recordedTests } from "./validation/recorded.ts";

await recordedTests({
  name: "validation",
  folder: "serving/validation",
  atLeast: 343,
  expectations: VALIDATION_EXPECTATIONS,
  faults: [
    { name: "another code", of: "no-name", plant: ({ response }) => ({ ...response, code: 400 }) },
    { name: "another message", of: "env-secret-no-key", plant: ({ response }) => ({ ...response, body: { ...response.body, message: "planted" } }) },
    { name: "another cause", of: "no-name", plant: ({ response }) => ({ ...response, body: { ...response.body, details: { causes: [] } } }) },
    { name: "a warning too few on a refusal", of: "env-secret-no-key", plant: ({ response }) => ({ ...response, warnings: [] }) },
    { name: "another spec", of: "update-byo-drop-name", plant: ({ response }) => ({ ...response, body: { ...response.body, spec: {} } }) },
  ],
});
