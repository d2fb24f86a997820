// The truth table of Revisions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import { defaultServingConfig, Deployment, PodAutoscaler, serving, type Pod } from "#kinds";
import { childrenOf, condition, conditionsOf, configuration, eventsOf, frozen, made, restOf, revision } from "../fixture.test-suite.ts";
import type { ObservedRevision } from "./observe.ts";
import { planRevision } from "./plan.ts";
import { revisionSettings } from "./settings.ts";

const settings = revisionSettings(defaultServingConfig());
const own = revision(1);
const progressing = (status: string, reason: string, message: string): object => ({ type: "Progressing", status, reason, message });
const AVAILABLE = progressing("True", "NewReplicaSetAvailable", "has progressed");
const TIMED_OUT = progressing("False", "ProgressDeadlineExceeded", 'ReplicaSet "rs" has timed out progressing.');

function deployment(counts: object, ...conditions: object[]): Deployment {
  return made(Deployment, "hello-00001-deployment", { spec: { replicas: 1 }, status: { ...counts, conditions } }, { owner: own });
}

function podAutoscaler(conditions: object[], status: object = {}): PodAutoscaler {
  return made(PodAutoscaler, "hello-00001", { spec: {}, status: { ...status, conditions } }, { owner: own });
}

const pod = (containerStatus: object, conditions: object[] = []): Pod =>
  frozen({ status: { conditions, containerStatuses: [containerStatus] } }) as unknown as Pod;
const RUNNING = deployment({ replicas: 1, readyReplicas: 1, availableReplicas: 1 }, AVAILABLE);
const STARTING = deployment({ replicas: 1, unavailableReplicas: 1 }, progressing("True", "ReplicaSetUpdated", "is progressing"));
const QUEUED = podAutoscaler([condition("Ready", "Unknown", "Queued", "buffering")], { actualScale: 0, desiredScale: -1, serviceName: "hello-00001" });
const SCALED = podAutoscaler([condition("Ready", "True"), condition("ScaleTargetInitialized", "True")], {
  actualScale: 1,
  desiredScale: 1,
  serviceName: "hello-00001",
});
const AT_ZERO = podAutoscaler([condition("Ready", "False", "NoTraffic", "The target is not receiving traffic."), condition("ScaleTargetInitialized", "True")], {
  actualScale: 0,
  desiredScale: 0,
  serviceName: "hello-00001",
});
const NEVER = podAutoscaler([condition("Ready", "False", "TimedOut", "too late"), condition("ScaleTargetInitialized", "Unknown")], {
  serviceName: "hello-00001",
});

const CHILDREN = ["(Deployment/hello-00001-deployment)", "(Image/hello-00001-cache-user-container)", "PodAutoscaler/hello-00001"];

interface Row {
  readonly name: string;
  readonly given: Partial<ObservedRevision>;
  readonly want: { conditions: string[]; children?: string[] | undefined; events?: string[]; failure?: string; effects?: number };
}

const TAGGED = revision(1, { image: "registry.local:5000/app:v1" });
const FAILED = 'Unable to fetch image "registry.local:5000/app:v1": failed to resolve image to digest: 404';

const table: Row[] = [
  {
    name: "a tag is resolved before anything is deployed",
    given: { revision: TAGGED },
    want: { conditions: ["ContainerHealthy=Unknown", "Ready=Unknown ResolvingDigests", "ResourcesAvailable=Unknown ResolvingDigests"], effects: 1 },
  },
  {
    name: "a resolution that runs is waited for",
    given: { revision: TAGGED, resolution: { state: "running" } },
    want: { conditions: ["ContainerHealthy=Unknown", "Ready=Unknown ResolvingDigests", "ResourcesAvailable=Unknown ResolvingDigests"], effects: 0 },
  },
  {
    name: "a failed resolution shows and is tried again later",
    given: { revision: TAGGED, resolution: { state: "failed", message: FAILED, retryAtMs: 5000 } },
    want: {
      conditions: [
        `ContainerHealthy=False ContainerMissing: ${FAILED}`,
        `Ready=False ContainerMissing: ${FAILED}`,
        "ResourcesAvailable=Unknown ResolvingDigests",
      ],
      events: [`Warning InternalError ${FAILED}`],
      effects: 0,
    },
  },
  {
    name: "a failed resolution is tried again when it is due",
    given: { revision: TAGGED, nowMs: 5000, resolution: { state: "failed", message: FAILED, retryAtMs: 5000 } },
    want: {
      conditions: [
        `ContainerHealthy=False ContainerMissing: ${FAILED}`,
        `Ready=False ContainerMissing: ${FAILED}`,
        "ResourcesAvailable=Unknown ResolvingDigests",
      ],
      events: [`Warning InternalError ${FAILED}`],
      effects: 1,
    },
  },
  {
    name: "a registry on the list is used by tag at once",
    given: {},
    want: {
      conditions: ["Active=Unknown Deploying", "ContainerHealthy=Unknown Deploying", "Ready=Unknown Deploying", "ResourcesAvailable=Unknown Deploying"],
      children: CHILDREN,
    },
  },
  {
    name: "pods that start are waited for",
    given: { deployment: STARTING, podAutoscaler: QUEUED },
    want: {
      conditions: ["Active=Unknown Queued: buffering", "ContainerHealthy=Unknown Deploying", "Ready=Unknown Deploying", "ResourcesAvailable=Unknown Deploying"],
      children: CHILDREN,
    },
  },
  {
    name: "a reached initial scale makes it ready",
    given: { deployment: RUNNING, podAutoscaler: SCALED },
    want: {
      conditions: ["Active=True", "ContainerHealthy=True", "Ready=True", "ResourcesAvailable=True"],
      children: CHILDREN,
      events: ["Normal RevisionReady Revision becomes ready upon all resources being ready"],
    },
  },
  {
    name: "scaled to zero stays ready",
    given: { deployment: deployment({}, AVAILABLE), podAutoscaler: AT_ZERO },
    want: {
      conditions: ["Active=False NoTraffic: The target is not receiving traffic.", "ContainerHealthy=True", "Ready=True", "ResourcesAvailable=True"],
      children: CHILDREN,
      events: ["Normal RevisionReady Revision becomes ready upon all resources being ready"],
    },
  },
  {
    name: "a container that ended is told with its code and its message",
    given: { deployment: STARTING, podAutoscaler: QUEUED, pod: pod({ name: "user-container", lastState: { terminated: { exitCode: 1, message: "boom" } } }) },
    want: {
      conditions: [
        "Active=Unknown Queued: buffering",
        "ContainerHealthy=False ExitCode1: Container failed with: boom",
        "Ready=False ExitCode1: Container failed with: boom",
        "ResourcesAvailable=Unknown Deploying",
      ],
      children: CHILDREN,
    },
  },
  {
    name: "a container that ended well without a word is a failure, too",
    given: { deployment: STARTING, podAutoscaler: QUEUED, pod: pod({ name: "user-container", lastState: { terminated: { exitCode: 0 } } }) },
    want: {
      conditions: [
        "Active=Unknown Queued: buffering",
        "ContainerHealthy=False ExitCode0: Container failed with: container exited with no error",
        "Ready=False ExitCode0: Container failed with: container exited with no error",
        "ResourcesAvailable=Unknown Deploying",
      ],
      children: CHILDREN,
    },
  },
  {
    name: "an image that cannot be pulled shows once the deadline is over",
    given: {
      deployment: deployment({ replicas: 1 }, TIMED_OUT),
      podAutoscaler: QUEUED,
      pod: pod({ name: "user-container", state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } }),
    },
    want: {
      conditions: [
        "Active=Unknown Queued: buffering",
        "ContainerHealthy=Unknown Deploying",
        "Ready=False ImagePullBackOff: no such image",
        "ResourcesAvailable=False ImagePullBackOff: no such image",
      ],
      children: CHILDREN,
    },
  },
  {
    name: "pods that find no place show at once",
    given: {
      deployment: STARTING,
      podAutoscaler: QUEUED,
      pod: pod({ name: "x" }, [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no cpu" }]),
    },
    want: {
      conditions: [
        "Active=Unknown Queued: buffering",
        "ContainerHealthy=Unknown Deploying",
        "Ready=False Unschedulable: no cpu",
        "ResourcesAvailable=False Unschedulable: no cpu",
      ],
      children: CHILDREN,
    },
  },
  {
    name: "pods that the server refuses show with its reason",
    given: {
      deployment: deployment({}, AVAILABLE, { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" }),
      podAutoscaler: QUEUED,
    },
    want: {
      conditions: [
        "Active=Unknown Queued: buffering",
        "ContainerHealthy=Unknown Deploying",
        "Ready=False FailedCreate: exceeded quota",
        "ResourcesAvailable=False FailedCreate: exceeded quota",
      ],
      children: CHILDREN,
    },
  },
  {
    name: "an initial scale that was given up is a failure",
    given: { deployment: deployment({}, AVAILABLE), podAutoscaler: NEVER },
    want: {
      conditions: [
        "Active=False TimedOut: too late",
        "ContainerHealthy=Unknown Deploying",
        "Ready=False ProgressDeadlineExceeded: Initial scale was never achieved",
        "ResourcesAvailable=False ProgressDeadlineExceeded: Initial scale was never achieved",
      ],
      children: CHILDREN,
    },
  },
  {
    name: "another's Deployment is left alone",
    given: { deployment: made(Deployment, "hello-00001-deployment", {}, { owner: configuration({ name: "other" }) }) },
    want: {
      conditions: [
        "ContainerHealthy=Unknown",
        'Ready=False NotOwned: There is an existing Deployment "hello-00001-deployment" that we do not own.',
        'ResourcesAvailable=False NotOwned: There is an existing Deployment "hello-00001-deployment" that we do not own.',
      ],
      failure: 'revision: "hello-00001" does not own Deployment: "hello-00001-deployment"',
    },
  },
  { name: "a Revision that is going away is left alone", given: { revision: revision(1, { deleting: true }) }, want: { conditions: [] } },
];

function plan(given: Partial<ObservedRevision>): ReturnType<typeof planRevision> {
  const seen = { revision: revision(1, { status: { observedGeneration: 1 } }), deployment: undefined, podAutoscaler: undefined, pod: undefined };
  return planRevision({
    ...seen,
    resolution: undefined,
    settings,
    nowMs: 0,
    ...given,
    ...(given.revision === undefined || given.revision.status !== undefined
      ? {}
      : { revision: frozen({ ...given.revision, status: { observedGeneration: 1 } }) }),
  });
}

for (const { name, given, want } of table) {
  test(`planRevision: ${name}`, () => {
    const planned = plan(given);
    assert.deepEqual(conditionsOf(planned.status), want.conditions);
    assert.deepEqual(childrenOf(planned), want.children);
    assert.deepEqual(eventsOf(planned), want.events ?? []);
    assert.equal(planned.failure, want.failure);
    assert.equal(planned.effects?.length ?? 0, want.effects ?? 0);
  });
}

test("planRevision: scale and images show in the status, and a second pass changes nothing", () => {
  const planned = plan({ deployment: RUNNING, podAutoscaler: SCALED });
  assert.deepEqual(restOf(planned.status), { observedGeneration: 1, actualReplicas: 1, desiredReplicas: 1, containerStatuses: [{ name: "user-container" }] });
  const again = plan({ revision: revision(1, { status: planned.status ?? {} }), deployment: RUNNING, podAutoscaler: SCALED });
  assert.deepEqual(again.status, planned.status);
  assert.deepEqual(eventsOf(again), []);
});

test("planRevision: a digest goes into the status, the Deployment and the Image", () => {
  const digest = "registry.local:5000/app@sha256:111";
  const planned = plan({ revision: TAGGED, resolution: { state: "resolved", digests: { "registry.local:5000/app:v1": digest } } });
  assert.deepEqual(restOf(planned.status), { observedGeneration: 1, containerStatuses: [{ name: "user-container", imageDigest: digest }] });
  const deployed = planned.desired?.[0]?.object as Deployment | undefined;
  assert.equal(deployed?.spec.template.spec?.containers[0]?.image, digest);
});

test("planRevision: only a change of what it renders touches a Deployment that exists", () => {
  const [first] = plan({}).desired ?? [];
  assert.ok(first?.merge !== undefined);
  const existing = frozen({ ...first.object, spec: { ...(first.object as Deployment).spec, replicas: 7 } }) as unknown as Deployment;
  assert.equal(first.merge(existing, first.object), undefined);
  const [changed] = plan({ settings: { ...settings, spreadOverNodes: false } }).desired ?? [];
  const merged = changed?.merge?.(existing, changed.object) as Deployment | undefined;
  assert.equal(merged?.spec.replicas, 7);
  assert.equal(merged?.spec.template.spec?.affinity, undefined);
});

test("planRevision: a Deployment that the server refuses is told, and nothing is said about scaling", () => {
  const planned = plan({});
  const [child] = planned.desired ?? [];
  assert.ok(child !== undefined);
  const after = planned.afterRefusal?.([{ child, error: new StatusError("Invalid", "port: must be between 1 and 65535") }]);
  assert.deepEqual(conditionsOf(after?.status), ["ContainerHealthy=Unknown Deploying", "Ready=Unknown Deploying", "ResourcesAvailable=Unknown Deploying"]);
  assert.deepEqual(
    after?.events?.map(({ message }) => message),
    ['failed to create deployment "hello-00001-deployment": port: must be between 1 and 65535'],
  );
});

test("planRevision: a revision that was given up stays unreachable until its Deployment has told of the new scale", () => {
  const broken = [TIMED_OUT];
  const reachability = (generation: number, replicas: number, was: string): string | undefined => {
    const status = { observedGeneration: 3, conditions: broken, readyReplicas: 0 };
    const ofIt = made(Deployment, "hello-00001-deployment", { spec: { replicas }, status }, { owner: own, generation });
    const before = made(PodAutoscaler, "hello-00001", { spec: { reachability: was }, status: {} }, { owner: own });
    const revisionOf = revision(1, { labels: { [serving.routingState]: "active" }, status: { observedGeneration: 1 } });
    const wanted = plan({ revision: revisionOf, deployment: ofIt, podAutoscaler: before }).desired?.find(({ kind }) => kind.kind === "PodAutoscaler")?.object;
    return (wanted as unknown as PodAutoscaler | undefined)?.spec.reachability;
  };
  assert.equal(reachability(3, 2, "Reachable"), "Unreachable");
  assert.equal(reachability(4, 0, "Unreachable"), "Unreachable");
  assert.equal(reachability(3, 0, "Unreachable"), "Reachable");
});
