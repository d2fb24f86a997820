// The image of the container that holds a pod's network and does nothing: one program of 192 bytes, made from the numbers below.
//
// Docker has no pods. Containers that share a network share that of another container, and it has to outlive their restarts.
// Every other tool brings an image from a registry for that; this one needs none, is the same on every machine, and fits in a line.
import { createHash } from "node:crypto";
import { pack, type Pack } from "tar-stream";
import { elfProgram, MACHINES } from "../elf-program.ts";

/** Ignores SIGCHLD, so that the kernel buries what is orphaned in a shared pid namespace, and sleeps. */
const PROGRAMS: Readonly<Record<string, string>> = {
  // mov eax,13 (rt_sigaction) · mov edi,17 · lea rsi,[rip+23] · xor edx,edx · mov r10d,8 · syscall; again: mov eax,34 (pause) · syscall · jmp again
  amd64: "b80d000000 bf11000000 488d3517000000 31d2 41ba08000000 0f05 b822000000 0f05 ebf7 00000000",
  // mov x8,134 (rt_sigaction) · mov x0,17 · adr x1,+48 · mov x2,0 · mov x3,8 · svc; again: mov x8,73 (ppoll) · mov x0..x4,0 · svc · b again
  arm64: "c81080d2 200280d2 81010010 020080d2 030180d2 010000d4 280980d2 000080d2 010080d2 020080d2 030080d2 040080d2 010000d4 f9ffff17",
};

/** SIG_IGN, flags, restorer and mask of `struct kernel_sigaction`. */
const ACTION = Buffer.from([1, ...Array.from({ length: 31 }, () => 0)]);

/** An ELF file without a section. Throws an Error for processors that we have no program for. */
export function pauseProgram(architecture: string): Buffer {
  const program = PROGRAMS[architecture];
  if (program === undefined) throw new Error(`pods on a container daemon of architecture ${architecture} are not supported`);
  const code = Buffer.concat([Buffer.from(program.replaceAll(" ", ""), "hex"), ACTION]);
  return elfProgram(MACHINES[architecture] ?? 0, code);
}

export interface PauseImage {
  /** Named by its content, so that another program is another image. */
  readonly name: string;
  /** As `docker load` takes it. */
  readonly archive: () => Pack;
}

const EPOCH = new Date(0);

export async function pauseImage(architecture: string): Promise<PauseImage> {
  const layer = await tarOf([{ name: "pause", mode: 0o755, body: pauseProgram(architecture) }]);
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: "linux",
      created: EPOCH.toISOString(),
      config: { Entrypoint: ["/pause"], Labels: { "dev.eider.pause": "true" } },
      rootfs: { type: "layers", diff_ids: [`sha256:${hex(layer)}`] },
      history: [{ created: EPOCH.toISOString(), created_by: "eider" }],
    }),
  );
  const name = `eider.local/pause:${hex(config).slice(0, 12)}`;
  const manifest = Buffer.from(JSON.stringify([{ Config: "config.json", RepoTags: [name], Layers: ["layer.tar"] }]));
  const files = [
    { name: "config.json", mode: 0o644, body: config },
    { name: "layer.tar", mode: 0o644, body: layer },
    { name: "manifest.json", mode: 0o644, body: manifest },
  ];
  return { name, archive: () => packed(files) };
}

interface File {
  readonly name: string;
  readonly mode: number;
  readonly body: Buffer;
}

function packed(files: readonly File[]): Pack {
  const archive = pack();
  for (const { name, mode, body } of files) archive.entry({ name, mode, mtime: EPOCH }, body);
  archive.finalize();
  return archive;
}

async function tarOf(files: readonly File[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of packed(files) as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
