// Who controls an object, and what to say when it is somebody else.
import { controllerOf } from "#reconcile";
import type { KubeObject } from "#schema";

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/** Made by a predecessor of `owner` with the same name; the garbage collector takes it away. */
export function isLeftover(object: KubeObject, owner: KubeObject): boolean {
  const controller = controllerOf(object);
  return controller?.kind === owner.kind && controller.name === owner.metadata.name && controller.uid !== owner.metadata.uid;
}

/** Text of a condition for a child that somebody else has made (serving.md §2). */
export function notOwnedMessage(what: string, name: string): string {
  return `There is an existing ${what} "${name}" that we do not own.`;
}
