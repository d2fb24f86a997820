// Hosts and resolver of a pod, written again at each start of one of its containers while the others read them.
import assert from "node:assert/strict";
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ContainerStart } from "../engine.ts";
import { podFiles } from "./pod-files.ts";

const LONG_AGO = new Date(1_000);

test("a file that is right is not written again, one that is not is changed in place, and one that the container mounts itself is none of ours", (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "eider-files-"));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const write = (podIP: string, targets: readonly string[] = []): readonly string[] => {
    const pod = { metadata: { name: "p", uid: "u1" }, spec: { containers: [] } };
    const start = { pod, place: { podIP }, hosts: [], mounts: targets.map((target) => ({ target })) } as unknown as ContainerStart;
    const dns = { nameservers: ["10.2.0.10"], searches: [], options: [] };
    return podFiles(start, { dataDir, dns, machine: "10.1.0.1" }).map(({ target }) => target);
  };
  const [hosts = "", resolver = ""] = ["hosts", "resolv.conf"].map((name) => join(dataDir, "volumes/u1/.network", name));
  const textWith = (podIP: string): string =>
    `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${podIP}\tp\n10.1.0.1\thost.containers.internal host.docker.internal\n`;

  assert.deepEqual(write("10.1.0.200"), ["/etc/hosts", "/etc/resolv.conf"]);
  assert.deepEqual([readFileSync(hosts, "utf8"), readFileSync(resolver, "utf8")], [textWith("10.1.0.200"), "nameserver 10.2.0.10\n"]);
  for (const file of [hosts, resolver]) utimesSync(file, LONG_AGO, LONG_AGO);
  write("10.1.0.200");
  assert.deepEqual(
    [hosts, resolver].map((file) => statSync(file).mtimeMs),
    [1_000, 1_000],
  );

  const mounted = openSync(hosts, "r");
  t.after(() => closeSync(mounted));
  const read = (): string => {
    const buffer = Buffer.alloc(4_096);
    return buffer.toString("utf8", 0, readSync(mounted, buffer, 0, buffer.length, 0));
  };
  for (const podIP of ["10.1.0.2", "10.1.0.211"]) {
    write(podIP);
    assert.equal(read(), textWith(podIP), "who has it open reads it");
  }
  assert.equal(statSync(resolver).mtimeMs, 1_000);
  appendFileSync(hosts, "# of a container\n".repeat(10_000));
  write("10.1.0.2");
  assert.equal(read(), textWith("10.1.0.2"), "what a container wrote does not outlive the next start");
  writeFileSync(hosts, "own");
  assert.deepEqual([write("10.1.0.3", ["/etc/hosts"]), read()], [["/etc/resolv.conf"], "own"]);
});
