// Image references as people write them, normalised as Docker and go-containerregistry do it.

export interface ImageName {
  /** `index.docker.io`, `dev.local`, `localhost:5000` … */
  readonly registry: string;
  /** `library/hello` */
  readonly repository: string;
  /** Undefined when a digest is given. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** `index.docker.io/library/hello:latest`; what tags are stored under. */
  readonly full: string;
}

/** Undefined when the text is not an image reference. */
export declare function parseImageName(text: string): ImageName | undefined;
