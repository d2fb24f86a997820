// Images of pods' containers for engines that run from the image store: with the pod's Secrets, by its policy, told on the pod.
import type { Client } from "#client";
import type { Clock } from "#core";
import { parseImageName, secretsKeychain, type ImagePuller, type Keychain, type PullEvent, type PullPolicy, type PullProgress } from "#images";
import type { CoreContainer, Pod } from "#kinds";
import type { ImageAnswer } from "./engine.ts";
import { fieldPathOf, type PodEvent } from "./pod/pod-events.ts";
import { pullSecrets } from "./pull-secrets.ts";

export interface PodImagesOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly puller: ImagePuller;
  /** Credentials of the user who started Eider, after those of the pod's Secrets. */
  readonly userKeychain: Keychain;
  /** What the kubelet would write as an Event about the pod. */
  readonly onEvent: (pod: Pod, event: PodEvent) => void;
}

/** Progress is a write of the pod's status: not more often than this. */
const TELL_EVERY_MS = 2_000;
const MEGA = 1_000_000;

export class PodImages {
  readonly #options: PodImagesOptions;

  constructor(options: PodImagesOptions) {
    this.#options = options;
  }

  /** A digest that the store has, or why the container waits; `tell` says what has come by now. Rejects when the signal aborts. */
  async ensure(
    pod: Pod,
    { name, image = "", imagePullPolicy }: CoreContainer,
    its: { readonly tell?: (message: string) => void; readonly signal: AbortSignal },
  ): Promise<ImageAnswer> {
    const { puller, clock, onEvent } = this.#options;
    const wanted = { image, policy: pullPolicyOf(image, imagePullPolicy), owner: ownerOf(pod, name), keychain: this.#keychainOf(pod) };
    const onProgress = progressWords(image, clock, its.tell ?? (() => undefined));
    let told = false;
    const tell = (event: PullEvent): void => {
      told = true;
      onEvent(pod, { ...event, fieldPath: fieldPathOf(pod, name) });
    };
    const answer = await puller.ensure({ ...wanted, onProgress, onEvent: tell }, its.signal);
    if ("digest" in answer && !told) tell({ type: "Normal", reason: "Pulled", message: `Container image "${image}" already present on machine` });
    return answer;
  }

  /** The pod has gone. */
  forget(pod: Pod): void {
    for (const { name } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) this.#options.puller.forget(ownerOf(pod, name));
  }

  /** Secrets are read when a registry is asked, not before. */
  #keychainOf({ metadata: { namespace = "" }, spec }: Pod): Keychain {
    const { client, userKeychain } = this.#options;
    const access = {
      namespace,
      serviceAccountName: spec.serviceAccountName,
      imagePullSecrets: (spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []),
    };
    return async (name, signal) => secretsKeychain(await pullSecrets(client, access), userKeychain)(name, signal);
  }
}

const ownerOf = ({ metadata: { uid } }: Pod, container: string): string => `${uid}/${container}`;

/** As Kubernetes defaults it: `latest` is asked for anew. */
export function pullPolicyOf(image: string, given: string | undefined): PullPolicy {
  if (given === "Always" || given === "IfNotPresent" || given === "Never") return given;
  return parseImageName(image)?.tag === "latest" ? "Always" : "IfNotPresent";
}

/** Tells what has come of an image now and then: `Pulling image "x": 2 of 5 layers, 12.3 of 40.1 MB`. */
function progressWords(image: string, clock: Clock, tell: (message: string) => void): (progress: PullProgress) => void {
  let nextMs = 0;
  return ({ layers, layersDone, bytes, bytesDone }) => {
    const nowMs = clock.monotonicMs();
    if (nowMs < nextMs) return;
    nextMs = nowMs + TELL_EVERY_MS;
    const mega = (count: number): string => (count / MEGA).toFixed(1);
    tell(`Pulling image "${image}": ${layersDone} of ${layers} layers, ${mega(bytesDone)} of ${mega(bytes)} MB`);
  };
}
