// An image of two layers, as other tools make them, put into a platform's store: a Go program, a file that the second layer takes away.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import { openImageStore } from "#images";

const run = promisify(execFile);

/** Answers with what it finds around itself. */
const PROGRAM = `package main

import ("crypto/tls"; "encoding/json"; "fmt"; "io"; "net"; "net/http"; "os"; "os/signal"; "strings"; "syscall")

func main() {
	if len(os.Args) > 1 { command(os.Args[1:]); return }
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() { <-ended; fmt.Println("told to end"); os.Exit(0) }()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		host, _ := os.Hostname()
		cwd, _ := os.Getwd()
		_, gone := os.Stat("/app/gone")
		_, hidden := os.Stat("/etc/eider/old")
		root := os.WriteFile("/written", []byte("x"), 0644)
		names, _ := os.ReadDir("/proc")
		pids := 0
		for _, name := range names { if strings.Trim(name.Name(), "0123456789") == "" { pids++ } }
		hosts, _ := os.ReadFile("/etc/hosts")
		json.NewEncoder(w).Encode(map[string]any{"host": host, "pid": os.Getpid(), "uid": os.Getuid(), "gid": os.Getgid(), "cwd": cwd, "gone": gone != nil, "hidden": hidden != nil,
			"writes": root == nil, "pids": pids, "env": os.Environ(), "hosts": string(hosts)})
	})
	http.HandleFunc("/eat", func(w http.ResponseWriter, r *http.Request) { eaten := [][]byte{}; for { b := make([]byte, 1<<20); for i := range b { b[i] = 1 }; eaten = append(eaten, b) } })
	fmt.Println("listening")
	port := os.Getenv("LISTEN"); if port == "" { port = "8080" }
	if err := http.ListenAndServe(":" + port, nil); err != nil { fmt.Println(err); os.Exit(1) }
}

func command(args []string) {
	if args[0] == "ask" { ask(args[1:]); return }
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\\n") { if strings.HasPrefix(line, "CapEff") || strings.HasPrefix(line, "NoNewPrivs") || strings.HasPrefix(line, "Seccomp:") { fmt.Println(line) } }
	host, _ := os.Hostname()
	fmt.Println(strings.Join(args, " "), "in", host, "as", os.Getuid())
	if args[0] == "fail" { os.Exit(7) }
	if args[0] == "files" { for _, name := range args[1:] {
		text, _ := os.ReadFile(name)
		fmt.Println(name, strings.TrimSpace(string(text)), "-", os.WriteFile(name, []byte("9"), 0644))
	} }
}

func ask(urls []string) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for _, url := range urls {
		if name, found := strings.CutPrefix(url, "name:"); found {
			addresses, err := net.LookupHost(name)
			fmt.Println(url, addresses, err)
			continue
		}
		if to, found := strings.CutPrefix(url, "event:"); found {
			request, _ := http.NewRequest("POST", to, strings.NewReader("{}"))
			request.Header = http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Source": {"/pod"}, "Ce-Type": {"asked"}, "Content-Type": {"application/json"}}
			response, err := client.Do(request)
			if err != nil { fmt.Println(url, err); continue }
			fmt.Println(url, response.StatusCode)
			continue
		}
		response, err := client.Get(url)
		if err != nil { fmt.Println(url, err); continue }
		body, _ := io.ReadAll(io.LimitReader(response.Body, 2000))
		fmt.Println(url, response.StatusCode, strings.TrimSpace(string(body)))
	}
}
`;

type Entry = Partial<Header> & { readonly name: string; readonly body?: string | Buffer };

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { body, ...given } of entries) {
    const header = { mtime: new Date(0), ...given };
    if (body === undefined) tar.entry(header);
    else tar.entry(header, body);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Compiles it; needs Go. */
export async function compileProbe(): Promise<Buffer> {
  const dir = mkdtempSync(join(tmpdir(), "eider-layered-"));
  try {
    writeFileSync(join(dir, "main.go"), PROGRAM);
    writeFileSync(join(dir, "go.mod"), "module probe\n\ngo 1.21\n");
    await run("go", ["build", "-trimpath", "-o", "probe", "."], { cwd: dir, env: { ...process.env, CGO_ENABLED: "0" } });
    return readFileSync(join(dir, "probe"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export interface ImageFacts {
  readonly name: string;
  readonly user?: string;
  /** Makes one image unlike another. */
  readonly salt?: string;
}

/** Puts it into the store of a data folder; answers its digest. */
export async function storeLayered(data: string, program: Buffer, { name, user = "app", salt = "" }: ImageFacts): Promise<string> {
  const store = await openImageStore(join(data, "images"));
  const layers = [
    await tarOf([
      { name: "app/", type: "directory", mode: 0o755 },
      { name: "app/probe", mode: 0o755, body: program },
      { name: "app/gone", body: "of the first layer" },
      { name: "etc/eider/", type: "directory" },
      { name: "etc/eider/old", body: "old" },
      { name: "etc/passwd", body: "root:x:0:0::/root:/bin/sh\napp:x:1234:2345::/home/app:/bin/sh\n" },
      { name: "bin", type: "symlink", linkname: "app" },
    ]),
    await tarOf([
      { name: "app/.wh.gone", body: "" },
      { name: "etc/eider/.wh..wh..opq", body: "" },
      { name: "etc/eider/new", body: salt },
    ]),
  ];
  const descriptors = [];
  for (const layer of layers)
    descriptors.push({
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      ...(await store.putStream(Readable.from([gzipSync(layer, { level: 1 })], { objectMode: false }))),
    });
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { Entrypoint: ["/bin/probe"], User: user, WorkingDir: "/work", Env: ["FROM_IMAGE=yes"] },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${createHash("sha256").update(layer).digest("hex")}`) },
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: await store.putBlob(config), size: config.length },
    layers: descriptors,
  };
  const digest = await store.putBlob(Buffer.from(JSON.stringify(manifest)));
  await store.tag(name, digest);
  return digest;
}
