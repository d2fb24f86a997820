// A schema is plain data: Kubernetes' structural subset of JSON Schema, nothing else can be written.

/** A rule in CEL about a value, `self`; `oldSelf` is the value before. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  /** Path of the field that the error is about, relative to the value. */
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

export interface Node {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  /** int32, int64, double, date-time, micro-time, byte (base64) … */
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Node;
  readonly items?: Node;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly uniqueItems?: boolean;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly title?: string;
  readonly description?: string;
  /** Value validations only: what they speak of is declared outside of them, too. */
  readonly allOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly not?: Node;
  /** Name of a type in the kind's `definitions`; such a node has no other member but `default`, patch and protobuf marks. */
  readonly $ref?: string;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-patch-merge-key"?: string;
  /**
   * What Go's encoder does with an empty value of this property of a built-in kind: `drop` leaves it out (`omitempty`),
   * `keep` writes it even when the client sent none. Absent: what the client sent stays.
   */
  readonly "x-eider-zero"?: "drop" | "keep";
  /** Beside a `$ref`: the value may also be a boolean, a list of such values, or a list of texts. */
  readonly "x-eider-or"?: "boolean" | "array" | "strings";
  /** Go's name of a type that is a text or a map in JSON: refusals tell it. */
  readonly "x-eider-type"?: string;
  /** A pointer in Go: protobuf leaves it out when it is nil, and writes the others even when they are empty. */
  readonly "x-eider-pointer"?: boolean;
  /** Field number of this property in Kubernetes' protobuf messages. */
  readonly "x-eider-proto"?: number;
  /** Field number of the message around this property where Go inlines a struct: JSON has no such level, protobuf has. */
  readonly "x-eider-proto-in"?: number;
}
