// Output of pods for `kubectl logs`.

/** As the query of the log subresource. */
export interface LogQuery {
  /** Undefined: the only container. */
  readonly container?: string;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly limitBytes?: number;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
}
