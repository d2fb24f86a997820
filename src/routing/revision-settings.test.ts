// What the gateway is told of a Revision.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Revision } from "#kinds";
import { revisionSettings } from "./revision-settings.ts";

function revision(spec: object, annotations: Readonly<Record<string, string>> = {}): Revision {
  const metadata = { name: "rev", namespace: "ns", annotations };
  return { apiVersion: "serving.knative.dev/v1", kind: "Revision", metadata, spec: { containers: [{ image: "i" }], ...spec } } as unknown as Revision;
}

test("limits in seconds become milliseconds; what is not said is 300 s, and off", () => {
  const { timeoutMs, responseStartTimeoutMs, idleTimeoutMs } = revisionSettings(revision({}));
  assert.deepEqual([timeoutMs, responseStartTimeoutMs, idleTimeoutMs], [300_000, 0, 0]);
  const said = revisionSettings(revision({ timeoutSeconds: 20, responseStartTimeoutSeconds: 5, idleTimeoutSeconds: 3 }));
  assert.deepEqual([said.timeoutMs, said.responseStartTimeoutMs, said.idleTimeoutMs], [20_000, 5_000, 3_000]);
});

test("a waiting page is for those that ask for it in so many words", () => {
  const asked = (value: string): boolean | undefined => revisionSettings(revision({}, { "eider.dev/waiting-page": value })).waitingPage;
  assert.deepEqual([revisionSettings(revision({})).waitingPage, asked("true"), asked("yes"), asked("false")], [undefined, true, undefined, undefined]);
});

test("a port that has only a name is 8080, as one that is not there; the container with a port serves", () => {
  const port = (...ports: readonly object[]): number => revisionSettings(revision({ containers: [{ image: "i", ports }] })).containerPort;
  assert.deepEqual([port(), port({ name: "http1", containerPort: 0 }), port({ name: "h2c" }), port({ containerPort: 9000 })], [8080, 8080, 8080, 9000]);
  const { containerPort, protocol } = revisionSettings(
    revision({ containers: [{ image: "sidecar" }, { image: "i", ports: [{ name: "h2c", containerPort: 9001 }] }] }),
  );
  assert.deepEqual([containerPort, protocol], [9001, "h2c"]);
});
