// schema: the language of kinds, and all that is computed from a schema and JSON.
export {
  fieldsOf,
  objectText,
  trackApply,
  trackUpdate,
  toParentEntries,
  toScaleEntries,
  type Fields,
  type ManagedFieldsEntry,
  type ReplicasPath,
  type Tracked,
  type Tracking,
} from "./apply/index.ts";
export { ageOf, humanDuration } from "./age.ts";
export { compileKind } from "./compile-kind.ts";
export type { CompiledKind, Decoded, DecodeOptions, FieldValidation } from "./compiled.ts";
export { conditionOf, conditionSet, mergeTransitionTimes, type ConditionSet, type Why } from "./conditions.ts";
export { crdFor } from "./crd.ts";
export { defineKind, type KindDefinition, type ObjectOf } from "./define-kind.ts";
export { s, type Filled, type Optional, type Schema, type ShapeOf, type ValueOf } from "./dsl.ts";
export { ownEngines, type CheckRules, type Engines, type Pattern } from "./engines.ts";
export { deepFreeze, equal, sortKeys } from "./equal.ts";
export { fieldError, type FieldError, type FieldErrorType } from "./field-error.ts";
export { checkFields, matchesFields, parseFieldSelector, requiredValue, type FieldRequirement, type FieldRequirements } from "./field-selector.ts";
export { Misfit } from "./from-unstructured.ts";
export { goText } from "./go-text.ts";
export { jsonPatchBetween, type PatchStep } from "./json-diff.ts";
export { applyJsonPatch } from "./json-patch.ts";
export { typedDecoder } from "./decode-typed.ts";
export { jsonSyntaxError } from "./json-syntax.ts";
export {
  apiVersionOf,
  type Admit,
  type AdmissionRequest,
  type Admitted,
  type Column,
  type Kind,
  type ScaleSubresource,
  type SelectableFields,
  type UserInfo,
} from "./kind.ts";
export {
  formatLabelSelector,
  labelMatcher,
  matchesLabels,
  parseLabelSelector,
  requirementsOf,
  selectorMatches,
  type LabelRequirements,
  type LabelSelectorObject,
  type Requirement,
} from "./label-selector.ts";
export { managerErrors, managerName } from "./manager-name.ts";
export { labelErrors, unqualifiedFinalizers } from "./metadata.ts";
export { objectMeta } from "./metadata-schema.ts";
export { isKnownFormat } from "./formats.ts";
export { names } from "./names.ts";
export { applyMergePatch } from "./merge-patch.ts";
export type { Node, ValidationRule } from "./node.ts";
export { NumberLiteral, parseWithLiterals, withExactNumbers } from "./number-literal.ts";
export type { Condition, Draft, DraftMeta, KubeObject, ObjectKey, ObjectMeta, OwnerReference } from "./object.ts";
export type { Descriptions } from "./openapi/definitions.ts";
export { openApiV2, openApiV2Protobuf } from "./openapi/document-v2.ts";
export { openApiV3 } from "./openapi/document-v3.ts";
export { definitionName } from "./openapi/names.ts";
export type { ServedPaths } from "./openapi/operations.ts";
export { patchInvalid, readPatch, type PatchDocument, type PatchType } from "./patch-document.ts";
export { envelope, messages, openEnvelope, protobufCodec, watchFrame, type ProtobufCodec, type TypeMeta } from "./protobuf/index.ts";
export { compareQuantities, formatQuantity, parseQuantity, quantityNumber, type Quantity } from "./quantity.ts";
export { applyStrategicPatch } from "./strategic-patch.ts";
export { duplicateFields, lostFields, outlineOf } from "./strict-json.ts";
export { valueChecker, type ValueChecker } from "./value-checker.ts";
export { tableOf, type Cell, type ColumnDefinition, type TableOf } from "./table.ts";
