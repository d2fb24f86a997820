// Recorded requests to the real webhooks of Knative Eventing, sent to the whole control plane: same code, Status or object, and warnings.
import { EVENTING_EXPECTATIONS, skippedEventing } from "./validation/eventing-expectations.ts";
import { recordedTests } from "./validation/recorded.ts";

await recordedTests({
  name: "eventing",
  folder: "eventing/validation",
  atLeast: 169,
  expectations: EVENTING_EXPECTATIONS,
  leftOut: skippedEventing,
  leftOutCount: 32,
  faults: [
    { name: "another code", of: "broker-no-spec", plant: ({ response }) => ({ ...response, code: 200 }) },
    { name: "another message", of: "trigger-no-broker", plant: ({ response }) => ({ ...response, body: { ...response.body, message: "planted" } }) },
    { name: "a warning too many", of: "broker-no-spec", plant: ({ response }) => ({ ...response, warnings: ["planted"] }) },
    { name: "another default", of: "update-broker-delivery", plant: ({ response }) => ({ ...response, body: { ...response.body, spec: {} } }) },
  ],
});
