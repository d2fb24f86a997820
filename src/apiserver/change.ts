// From the body of a PUT or a PATCH to what it wants of an object, of its status, of its Scale.
import { StatusError } from "#core";
import { objectText, type KubeObject, type ScaleSubresource } from "#schema";
import { applied, type Applied } from "./apply.ts";
import type { ApplyBody } from "./apply-body.ts";
import { kindRefusal, receive, type JsonBody } from "./body.ts";
import type { NewObject } from "./create.ts";
import { withOwnersOnce } from "./owners-once.ts";
import { ownersAfter, trackedWrite } from "./ownership.ts";
import { isOfKind, patched, receivePatched, type Patch } from "./patch.ts";
import type { Resource } from "./registry.ts";
import { ownedScale, ownersWithScale, scalesOf, withScale } from "./scale.ts";
import type { Change } from "./update.ts";
import type { Target, WriteContext, WriteTools } from "./writing.ts";

/** What is written: an object, or a part of it. */
export interface Written extends Target {
  /** "" for the object itself. */
  readonly subresource: string;
}

type Wish = Pick<Change, "wanted" | "created">;

function receiving({ namespace, name }: Target, { fieldValidation, warn }: WriteContext): Parameters<typeof receive>[2] {
  return { namespace, name, fieldValidation, warn };
}

const asNew = ({ object, owners }: Applied): NewObject => ({ object, owners: { entries: owners } });

/** A wish for the Scale of an object, as one for the object: `next` makes the new Scale of the old one. */
function scaleWish(
  tools: WriteTools,
  written: Written,
  paths: ScaleSubresource,
  context: WriteContext,
  next: (scales: Target, live: KubeObject) => NewObject,
): Wish {
  const { resource } = written;
  const scales: Target = { ...written, resource: scalesOf(resource) };
  return {
    wanted(current) {
      const live = ownedScale(resource, current, paths);
      const { object: scale, owners } = next(scales, live);
      const entries = owners === undefined ? ownersAfter(trackedWrite(scales.resource, "scale", context, tools.clock), live, scale) : owners.entries;
      return { object: withScale(resource, current, paths, scale), owners: { entries: ownersWithScale(resource, current, paths, entries) } };
    },
  };
}

function scalePaths({ resource, subresource }: Written): ScaleSubresource | undefined {
  return subresource === "scale" ? resource.kind.subresources.scale : undefined;
}

/** What a PUT wants. */
export function replacing(tools: WriteTools, written: Written, body: JsonBody, context: WriteContext): Wish {
  const { resource, subresource } = written;
  const paths = scalePaths(written);
  if (paths !== undefined) {
    const scale = receive(scalesOf(resource), body, receiving(written, context));
    return scaleWish(tools, written, paths, context, () => ({ object: scale }));
  }
  const object = withOwnersOnce(receive(resource, body, receiving(written, context)), context.warn);
  const creates = subresource === "" && resource.kind.createsOnUpdate === true;
  const refusal = subresource === "" ? kindRefusal(resource, body.json, written.name) : undefined;
  const made = { object, json: body.json, ...(refusal === undefined ? {} : { refusal }) };
  return { wanted: () => made, ...(creates ? { created: () => made } : {}) };
}

/** Kubernetes cannot make a Scale of what was applied to that of a custom object, unless it changes nothing. */
function noScaleOfCustom({ config }: ApplyBody): StatusError {
  const why = "request to convert CR to an invalid group/version: autoscaling/v1";
  return new StatusError("Unknown", `failed to convert new object (${objectText(config)}) to proper version: ${why}`);
}

function applying(tools: WriteTools, written: Written, body: ApplyBody, context: WriteContext): Wish {
  const { resource, subresource } = written;
  const paths = scalePaths(written);
  if (paths !== undefined) {
    return scaleWish(tools, written, paths, context, (scales, live) => {
      const scale = applied(scales, trackedWrite(scales.resource, "scale", context, tools.clock), body, live, context);
      if (resource.kind.custom && !scale.same) throw noScaleOfCustom(body);
      return asNew(scale);
    });
  }
  const made = (current: KubeObject | undefined): NewObject =>
    asNew(applied(written, trackedWrite(resource, subresource, context, tools.clock), body, current, context));
  return { wanted: made, ...(subresource === "" ? { created: () => made(undefined) } : {}) };
}

/** What a PATCH wants. */
export function patching(tools: WriteTools, written: Written, patch: Patch, context: WriteContext): Wish {
  if (patch.type === "apply") return applying(tools, written, patch.body, context);
  const { resource, subresource } = written;
  const paths = scalePaths(written);
  const patchOf = (of: Resource, current: KubeObject): NewObject => {
    const made = { ...patched(of, patch, current), isStatus: subresource === "status" };
    const object = receivePatched(of, made, receiving(written, context));
    // What Kubernetes cannot take for an object of the kind has no owners.
    return isOfKind(of, made) ? { object } : { object, owners: { entries: undefined } };
  };
  if (paths !== undefined) return scaleWish(tools, written, paths, context, (scales, live) => patchOf(scales.resource, withoutEntries(live)));
  return { wanted: (current) => patchOf(resource, current) };
}

/** A Scale shows nobody's ownership. */
function withoutEntries(scale: KubeObject): KubeObject {
  const { managedFields: _entries, ...metadata } = scale.metadata;
  return { ...scale, metadata };
}
