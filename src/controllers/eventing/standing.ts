// What the events thread has put into force, as controllers see it.

/** Of a Broker or a Trigger. */
export interface Standing {
  readonly uid: string;
  /** Generation of the spec. */
  readonly generation: number;
  readonly subscriberUri?: string;
  readonly subscriberCaCerts?: string;
  readonly deadLetterSinkUri?: string;
}

/** Whether it is of this very object and spec. */
export function isOf(
  standing: Standing | undefined,
  { metadata }: { readonly metadata: { readonly uid: string; readonly generation?: number } },
): standing is Standing {
  return standing?.uid === metadata.uid && standing.generation === metadata.generation;
}
