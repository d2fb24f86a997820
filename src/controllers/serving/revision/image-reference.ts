// Names of images as registries understand them: registry, repository, tag, digest.

const DOCKER_HUB = "index.docker.io";

export interface ImageReference {
  /** Host with port; `index.docker.io` when the name has none. */
  readonly registry: string;
  /** With the registry, without tag and digest. */
  readonly repository: string;
  readonly hasDigest: boolean;
}

/** Reads a name such as `nginx:1.27`, `registry.local:5000/app` or `kind.local/app@sha256:…`. */
export function parseImage(image: string): ImageReference {
  const [name = "", digest] = image.split("@");
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasRegistry = first.includes(".") || first.includes(":") || first === "localhost";
  const path = (hasRegistry ? name.slice(slash + 1) : name).replace(/:[^/:]*$/, "");
  const registry = !hasRegistry || first === "docker.io" ? DOCKER_HUB : first;
  const isOfficial = registry === DOCKER_HUB && !path.includes("/");
  return { registry, repository: `${registry}/${isOfficial ? "library/" : ""}${path}`, hasDigest: digest !== undefined };
}
