// schema: the language of kinds, and all that is computed from a schema and JSON.
export { conditionOf, conditionSet, mergeTransitionTimes, type ConditionSet, type Why } from "./conditions.ts";
export { defineKind, type KindDefinition, type ObjectOf } from "./define-kind.ts";
export { s, type Filled, type Optional, type Schema, type ShapeOf, type ValueOf } from "./dsl.ts";
export { apiVersionOf, type Admit, type AdmissionRequest, type Admitted, type Column, type Kind, type ScaleSubresource, type SelectableFields, type UserInfo } from "./kind.ts";
export type { FieldError, FieldErrorType } from "./field-error.ts";
export type { Node } from "./node.ts";
export type { Condition, Draft, DraftMeta, KubeObject, ObjectKey, ObjectMeta, OwnerReference } from "./object.ts";
