// The rows of kinds that come and go: each is followed while it is served, and forgotten with it.
import { createInformerSet, type Client, type Informer, type MetaRow } from "#client";
import type { Clock, Logger, Rng } from "#core";
import type { Kind } from "#schema";

/** Kinds that come and go, as whoever serves them tells. */
export interface ComingKinds {
  kinds(): readonly Kind[];
  /** Called after each change of `kinds`. */
  onChange(listener: () => void): void;
}

export interface ComingRowsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly coming: ComingKinds | undefined;
}

interface Followed {
  readonly kind: Kind;
  readonly informer: Informer<MetaRow>;
  readonly end: AbortController;
}

const idOf = ({ group, version, plural }: Kind): string => `${group}/${version}/${plural}`;

export class ComingRows {
  readonly #options: ComingRowsOptions;
  readonly #followed = new Map<string, Followed>();

  constructor(options: ComingRowsOptions) {
    this.#options = options;
  }

  get kinds(): readonly Kind[] {
    return [...this.#followed.values()].map(({ kind }) => kind);
  }

  /** Undefined for a kind that does not come and go, or is gone. */
  of(kind: Kind): Informer<MetaRow> | undefined {
    return this.#followed.get(idOf(kind))?.informer;
  }

  /** Calls `started` for each kind from now on, before its first row, until the signal aborts. */
  follow(signal: AbortSignal, started: (kind: Kind, informer: Informer<MetaRow>) => void): void {
    const { coming } = this.#options;
    const update = (): void => {
      const wanted = new Map((signal.aborted ? [] : (coming?.kinds() ?? [])).map((kind) => [idOf(kind), kind]));
      for (const [id, { end }] of this.#followed) {
        if (wanted.has(id)) continue;
        end.abort();
        this.#followed.delete(id);
      }
      for (const [id, kind] of wanted) if (!this.#followed.has(id)) this.#start(id, kind, { signal, started });
    };
    coming?.onChange(update);
    signal.addEventListener("abort", update, { once: true });
    update();
  }

  #start(
    id: string,
    kind: Kind,
    { signal, started }: { readonly signal: AbortSignal; readonly started: (kind: Kind, informer: Informer<MetaRow>) => void },
  ): void {
    const end = new AbortController();
    const set = createInformerSet(this.#options);
    const informer = set.meta(kind);
    this.#followed.set(id, { kind, informer, end });
    started(kind, informer);
    void set.run(AbortSignal.any([signal, end.signal]));
  }
}
