// The least that Knative's test programs expect of an image below them: a /tmp for all, a user without rights, and themselves where Knative's own
// builder puts them. Pushed as anybody pushes an image.
import { createHash } from "node:crypto";
import { pack } from "tar-stream";

const NOBODY = 65_532;
const FILES = {
  "etc/passwd": `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${NOBODY}:${NOBODY}:nonroot:/home/nonroot:/sbin/nologin\n`,
  "etc/group": `root:x:0:\nnonroot:x:${NOBODY}:\n`,
} as const;

/** `programs` are names under which the app above is found. */
async function layer(programs: readonly string[]): Promise<Buffer> {
  const archive = pack();
  const mtime = new Date(0);
  for (const [name, mode, uid] of [
    ["etc", 0o755, 0] as const,
    ["tmp", 0o1777, 0] as const,
    ["home", 0o755, 0] as const,
    ["home/nonroot", 0o700, NOBODY] as const,
  ])
    archive.entry({ name: `${name}/`, type: "directory", mode, uid, gid: uid, mtime });
  archive.entry({ name: "ko-app/", type: "directory", mode: 0o755, mtime });
  for (const program of programs) archive.entry({ name: `ko-app/${program}`, type: "symlink", linkname: "/workspace/app", mtime });
  for (const [name, text] of Object.entries(FILES)) archive.entry({ name, mode: 0o644, mtime }, text);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Pushes it to `registry` (`localhost:5000`) and answers its name. */
export async function pushStaticBase(registry: string, programs: readonly string[]): Promise<string> {
  const repository = "knative/static";
  const base = `http://${registry}/v2/${repository}`;
  const blobs = await layer(programs);
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: "linux",
      config: { User: String(NOBODY), WorkingDir: "/home/nonroot" },
      rootfs: { type: "layers", diff_ids: [digestOf(blobs)] },
    }),
  );
  for (const bytes of [blobs, config]) {
    const put = await fetch(`${base}/blobs/uploads/?digest=${digestOf(bytes)}`, {
      method: "POST",
      body: new Uint8Array(bytes),
      headers: { "content-type": "application/octet-stream" },
    });
    if (put.status !== 201) throw new Error(`blob of ${repository}: ${put.status} ${await put.text()}`);
  }
  const described = (mediaType: string, bytes: Buffer): object => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: described("application/vnd.oci.image.config.v1+json", config),
    layers: [described("application/vnd.oci.image.layer.v1.tar", blobs)],
  };
  const put = await fetch(`${base}/manifests/latest`, { method: "PUT", body: JSON.stringify(manifest), headers: { "content-type": manifest.mediaType } });
  if (put.status !== 201) throw new Error(`manifest of ${repository}: ${put.status} ${await put.text()}`);
  return `${registry}/${repository}:latest`;
}
