// /etc/hosts and /etc/resolv.conf of a pod, as files of ours that its containers mount: its network then holds nothing that is the pod's own, and any will do.
//
//   volumes/<pod uid>/.network/{hosts,resolv.conf}    the name is none that a volume can have; gone with the pod's volumes
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ContainerStart, Mount } from "../engine.ts";
import { resolvConf, type PodDns } from "../names/pod-dns.ts";
import { hostsText } from "../names/pod-hosts.ts";
import { hostnameOf } from "./container-body.ts";

const HOSTS = "/etc/hosts";
const RESOLVER = "/etc/resolv.conf";
/** The machine, as Podman and Docker call it. */
const MACHINE_NAMES = ["host.containers.internal", "host.docker.internal"];
/** Files of this text are shorter; a container may have made one longer. */
const USUAL_BYTES_MAX = 64 << 10;

/** Writes them, with the address of the machine; answers how they are mounted, but for what the container mounts there itself. */
export function podFiles(
  { pod, place: { podIP }, hosts, mounts }: ContainerStart,
  { dataDir, dns, machine }: { readonly dataDir: string; readonly dns: PodDns; readonly machine: string },
): Mount[] {
  const folder = join(dataDir, "volumes", pod.metadata.uid, ".network");
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const files = [
    {
      target: HOSTS,
      path: join(folder, "hosts"),
      text: hostsText({ podIP, hostname: hostnameOf(pod), hosts: [...hosts, { ip: machine, names: MACHINE_NAMES }] }),
    },
    { target: RESOLVER, path: join(folder, "resolv.conf"), text: resolvConf(dns) },
  ];
  const given = files.filter(({ target }) => !mounts.some((mount) => mount.target === target));
  for (const { path, text } of given) writeInPlace(path, Buffer.from(text));
  return given.map(({ target, path }) => ({ source: { path }, target, readOnly: false }));
}

/**
 * In place, as the kubelet does with hosts at each start of a container: what the pod's other containers have mounted is this file, and they would
 * not see another of its name. They read it meanwhile: what is right is let be, and what is not is one write, with empty lines over the rest of
 * what was longer; it is never empty, or a half.
 */
function writeInPlace(path: string, text: Buffer): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return writeFileSync(path, text, { mode: 0o644 });
  if (size === text.length && readFileSync(path).equals(text)) return undefined;
  const padding = Buffer.alloc(Math.max(0, Math.min(size, USUAL_BYTES_MAX) - text.length), "\n");
  const file = openSync(path, "r+");
  try {
    writeSync(file, Buffer.concat([text, padding]), 0, undefined, 0);
    ftruncateSync(file, text.length);
  } finally {
    closeSync(file);
  }
}
