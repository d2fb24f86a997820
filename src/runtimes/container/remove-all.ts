// All that a platform has made in a daemon, removed: when it ends, and when its data folder goes.
import { DaemonError, type DaemonClient } from "./daemon-client.ts";
import { labelFilter, LABELS } from "./labels.ts";

interface Listed {
  readonly Id: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** Answers how many there were. */
export async function removeContainers(client: DaemonClient, platform: string): Promise<number> {
  const query = { all: "true", filters: labelFilter({ [LABELS.platform]: platform }) };
  const all = await client.call<Listed[]>({ method: "GET", path: "/containers/json", query });
  // The others name those that hold a network.
  const holdsNetwork = ({ Labels }: Listed): boolean => (Labels?.[LABELS.container] ?? "") === "";
  for (const { Id } of [...all.filter((each) => !holdsNetwork(each)), ...all.filter(holdsNetwork)]) await remove(client, `/containers/${Id}`);
  return all.length;
}

/** Images that were sent there. Those that another platform's containers use stay, and what it misses it sends again. */
export async function removeSentImages(client: DaemonClient): Promise<void> {
  const query = { filters: JSON.stringify({ reference: ["eider.local/*"] }) };
  const all = await client.call<{ readonly RepoTags?: readonly string[] | null }[]>({ method: "GET", path: "/images/json", query });
  const names = all.flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => name.startsWith("eider.local/"));
  for (const name of names) await remove(client, `/images/${encodeURIComponent(name)}`);
}

async function remove(client: DaemonClient, path: string): Promise<void> {
  const query: Record<string, string> = path.startsWith("/containers/") ? { force: "true", v: "true" } : {};
  try {
    await client.call({ method: "DELETE", path, query });
  } catch (error) {
    if (!(error instanceof DaemonError) || (error.status !== 404 && error.status !== 409)) throw error;
  }
}
