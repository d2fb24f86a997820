// In which order discovery tells groups and versions: clients take the first of what they find.

/** How kube-apiserver ranks the groups that it brings along; groups of definitions come after them all. */
const GROUP_RANKS: Readonly<Record<string, number>> = {
  apps: 17_800,
  "events.k8s.io": 17_750,
  "authentication.k8s.io": 17_700,
  "authorization.k8s.io": 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  "certificates.k8s.io": 17_300,
  "networking.k8s.io": 17_200,
  policy: 17_100,
  "rbac.authorization.k8s.io": 17_000,
  "storage.k8s.io": 16_800,
  "apiextensions.k8s.io": 16_700,
  "admissionregistration.k8s.io": 16_700,
  "scheduling.k8s.io": 16_600,
  "coordination.k8s.io": 16_500,
  "node.k8s.io": 16_300,
  "discovery.k8s.io": 16_200,
  "resource.k8s.io": 16_200,
  "flowcontrol.apiserver.k8s.io": 16_100,
};
const CUSTOM_RANK = 1000;

interface VersionParts {
  /** GA 3, beta 2, alpha 1, anything else 0. */
  readonly stability: number;
  readonly major: number;
  readonly minor: number;
}

function partsOf(version: string): VersionParts {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version);
  if (match === null) return { stability: 0, major: 0, minor: 0 };
  const stability = match[2] === undefined ? 3 : match[2] === "beta" ? 2 : 1;
  return { stability, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}

/** Kubernetes' order of versions, best first: `v2`, `v1`, `v2beta1`, `v1alpha1`; other names after them, by the alphabet. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor || (a < b ? -1 : a > b ? 1 : 0);
}

const rankOf = (group: string): number => GROUP_RANKS[group] ?? CUSTOM_RANK;

/** Groups of one rank go by name in the aggregated documents, and by the name of their first version's service in the plain ones. */
export function compareGroups(a: { name: string; version: string }, b: { name: string; version: string }, plain: boolean): number {
  const text = ({ name, version }: { name: string; version: string }): string => (plain ? `${version}.${name}` : name);
  return rankOf(b.name) - rankOf(a.name) || (text(a) < text(b) ? -1 : 1);
}

/** Whether the group is one that kube-apiserver has itself: what it does not have there is told in another form. */
export function isBuiltInGroup(group: string): boolean {
  return group === "" || Object.hasOwn(GROUP_RANKS, group);
}
