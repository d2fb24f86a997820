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

const DEFAULT_REGISTRY = "index.docker.io";
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const REGISTRY = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const NAME_LENGTH_MAX = 512;

/** Whether a repository may be called so, within its registry. */
export function isRepository(name: string): boolean {
  return name.length <= NAME_LENGTH_MAX && REPOSITORY.test(name);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Undefined when the text is not an image reference. */
export function parseImageName(text: string): ImageName | undefined {
  if (text.length > NAME_LENGTH_MAX) return undefined;
  const [beforeDigest = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const colon = beforeDigest.lastIndexOf(":");
  const hasTag = colon > beforeDigest.lastIndexOf("/");
  const path = hasTag ? beforeDigest.slice(0, colon) : beforeDigest;
  const tag = hasTag ? beforeDigest.slice(colon + 1) : "latest";
  if (!TAG.test(tag)) return undefined;
  const { registry, repository } = split(path);
  if (!REGISTRY.test(registry) || !REPOSITORY.test(repository)) return undefined;
  const suffix = digest === undefined ? `:${tag}` : `@${digest}`;
  return { registry, repository, tag: digest === undefined ? tag : undefined, digest, full: `${registry}/${repository}${suffix}` };
}

/** The first part is a registry when it could be a host: with a dot, a port, or `localhost`. */
function split(path: string): { readonly registry: string; readonly repository: string } {
  const slash = path.indexOf("/");
  const first = slash < 0 ? "" : path.slice(0, slash);
  const isHost = first.includes(".") || first.includes(":") || first === "localhost";
  const host = isHost ? first : DEFAULT_REGISTRY;
  const registry = host === "docker.io" ? DEFAULT_REGISTRY : host;
  const repository = isHost ? path.slice(slash + 1) : path;
  return { registry, repository: registry === DEFAULT_REGISTRY && !repository.includes("/") ? `library/${repository}` : repository };
}

/** Registries that are none: names under them mean what lies on this machine (ko, kind, Eider's own builds, Podman's). */
const LOCAL_REGISTRIES: ReadonlySet<string> = new Set(["dev.local", "ko.local", "kind.local", "localhost"]);

/** Whether no registry can know the name. */
export function isLocalName({ registry }: Pick<ImageName, "registry">): boolean {
  return LOCAL_REGISTRIES.has(registry);
}
