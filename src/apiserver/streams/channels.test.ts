// Commands over channels, through the server and an in-memory connection: every subprotocol, half-close, sizes, the end, malformed input.
import assert from "node:assert/strict";
import { duplexPair, PassThrough, type Duplex } from "node:stream";
import { test, type TestContext } from "node:test";
import { SimClock } from "#core";
import { fixture, KINDS } from "../fixture.test-suite.ts";
import { acceptCommand, wantedStreams, type ApiRequest, type RunningCommand, type ServedKind, type TerminalSize } from "../index.ts";
import { encodeFrame, OPCODES } from "./websocket-frames.ts";

/** A command that the test plays. */
class Played implements RunningCommand {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly sizes: TerminalSize[] = [];
  readonly #end = Promise.withResolvers<number>();
  readonly ended = this.#end.promise;
  endings = 0;

  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }

  exit(code: number): void {
    this.stdout.end();
    this.stderr.end();
    this.#end.resolve(code);
  }

  async end(): Promise<void> {
    this.endings += 1;
    this.exit(137);
  }
}

function kindsWith(start: () => Promise<RunningCommand>, clock: SimClock): ServedKind[] {
  const run: NonNullable<ServedKind["subresources"]> = {
    run: {
      verbs: ["get", "create"],
      async handle({ http, query }) {
        const flag = (name: string): boolean => query.get(name) === "true";
        const wanted = wantedStreams({ stdin: flag("stdin"), stdout: flag("stdout"), stderr: flag("stderr"), tty: flag("tty") });
        return acceptCommand(http, wanted, { clock, start });
      },
    },
  };
  return KINDS.map((served) => (served.kind.plural === "configmaps" ? { ...served, subresources: run } : served));
}

const QUERY = "stdin=true&stdout=true&stderr=true";

async function world(start?: () => Promise<RunningCommand>) {
  const command = new Played();
  const clock = new SimClock();
  const { server } = await fixture({ kinds: kindsWith(start ?? (() => Promise.resolve(command)), clock) });
  await server.handle({
    method: "POST",
    target: "/api/v1/namespaces/default/configmaps",
    headers: { authorization: "Bearer good" },
    body: JSON.stringify({ metadata: { name: "m" } }),
  });
  const ask = (query: string, headers: Record<string, string> = {}, method = "GET") =>
    server.handle({
      method,
      target: `/api/v1/namespaces/default/configmaps/m/run?${query}`,
      headers: { authorization: "Bearer good", ...headers },
    } satisfies ApiRequest);
  return { command, clock, ask };
}

const handshake = (protocol: string | undefined): Record<string, string> => ({
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  ...(protocol === undefined ? {} : { "sec-websocket-protocol": protocol }),
});

/** The client's end: frames out, messages in. */
class Client {
  readonly #socket: Duplex;
  readonly #chunks: AsyncIterator<Buffer>;
  #have = Buffer.alloc(0);
  /** It answers the first ping, as every websocket does. */
  hears = true;

  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  send(opcode: number, bytes: Uint8Array | string): void {
    this.#socket.write(encodeFrame(opcode, Buffer.from(bytes), { mask: Uint8Array.of(9, 8, 7, 6) }));
  }

  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  async #atLeast(length: number): Promise<boolean> {
    while (this.#have.length < length) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      this.#have = Buffer.concat([this.#have, next.value]);
    }
    return true;
  }

  /** The next frame as `opcode:payload` in latin1; "end" at the end. The ping that asks whether it hears is answered and passed over. */
  async next(): Promise<string> {
    const text = await this.frame();
    if (text !== "9:" || !this.hears) return text;
    this.hears = false;
    this.send(OPCODES.pong, "");
    return this.next();
  }

  /** As it comes. Frames of these tests are short. */
  async frame(): Promise<string> {
    if (!(await this.#atLeast(2))) return "end";
    const length = (this.#have[1] ?? 0) & 0x7f;
    assert.ok(length <= 126, "no test sends so much");
    const head = length === 126 ? 4 : 2;
    await this.#atLeast(head);
    const size = length === 126 ? this.#have.readUInt16BE(2) : length;
    await this.#atLeast(head + size);
    const text = `${(this.#have[0] ?? 0) & 15}:${this.#have.subarray(head, head + size).toString("latin1")}`;
    this.#have = this.#have.subarray(head + size);
    return text;
  }
}

async function connected(t: TestContext, protocol: string | undefined, query = QUERY, start?: () => Promise<RunningCommand>) {
  const { command, clock, ask } = await world(start);
  const answer = await ask(query, handshake(protocol));
  assert.equal(answer.status, 101);
  assert.equal(answer.headers["sec-websocket-accept"], "ICX+Yqv66kxgM0FcWaLWlFLwTAI=");
  assert.equal(answer.headers["sec-websocket-protocol"], protocol);
  const [ours, theirs] = duplexPair();
  const over = answer.takeOver?.(ours);
  const client = new Client(theirs);
  t.after(async () => {
    theirs.destroy();
    ours.destroy();
    await over;
    await clock.advance(60_000);
    assert.equal(clock.waiting, 0, "something still waits");
  });
  return { command, clock, client, ours, over };
}

const SUCCESS = '{"metadata":{},"status":"Success"}';

test("v5: output, errors, input until the half-close, and the exit code as a Status", async (t) => {
  const { command, client, over } = await connected(t, "v5.channel.k8s.io");
  assert.equal(await client.next(), "2:\x01");
  client.send(OPCODES.binary, "\x00hel");
  client.send(OPCODES.binary, "\x00lo");
  client.send(OPCODES.binary, Uint8Array.of(255, 0));
  let text = "";
  for await (const chunk of command.stdin) text += String(chunk);
  assert.equal(text, "hello");
  command.stdout.write("out");
  assert.equal(await client.next(), "2:\x01out");
  command.stderr.write("err");
  assert.equal(await client.next(), "2:\x02err");
  command.exit(3);
  const [, status = ""] = (await client.next()).split("2:\x03");
  assert.deepEqual(JSON.parse(status), {
    metadata: {},
    status: "Failure",
    message: "command terminated with non-zero exit code: exit status 3",
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: "3" }] },
  });
  assert.equal(await client.next(), "8:\x03\xe8");
  await over;
});

const endings = [
  { protocol: "v5.channel.k8s.io", code: 0, hello: "2:\x01", end: `2:\x03${SUCCESS}` },
  { protocol: "v4.channel.k8s.io", code: 0, hello: "2:\x01", end: `2:\x03${SUCCESS}` },
  { protocol: "v4.base64.channel.k8s.io", code: 0, hello: "1:1", end: `1:3${Buffer.from(SUCCESS).toString("base64")}` },
  { protocol: "channel.k8s.io", code: 0, hello: "2:\x01", end: "8:\x03\xe8" },
  { protocol: undefined, code: 0, hello: "2:\x01", end: "8:\x03\xe8" },
  { protocol: "channel.k8s.io", code: 2, hello: "2:\x01", end: "2:\x03command terminated with non-zero exit code: exit status 2" },
  {
    protocol: "base64.channel.k8s.io",
    code: 2,
    hello: "1:1",
    end: `1:3${Buffer.from("command terminated with non-zero exit code: exit status 2").toString("base64")}`,
  },
];
for (const { protocol, code, hello, end } of endings) {
  test(`the end of a command with code ${code} over ${protocol ?? "no subprotocol"}`, async (t) => {
    const { command, client } = await connected(t, protocol);
    assert.equal(await client.next(), hello);
    command.exit(code);
    assert.equal(await client.next(), end);
  });
}

test("base64: input and output", async (t) => {
  const { command, client } = await connected(t, "v4.base64.channel.k8s.io");
  await client.next();
  client.send(OPCODES.text, `0${Buffer.from("in").toString("base64")}`);
  command.stdin.once("data", (chunk: Buffer) => command.stdout.write(`got ${chunk.toString()}`));
  assert.equal(await client.next(), `1:1${Buffer.from("got in").toString("base64")}`);
});

test("terminal sizes come as JSON, in either case, cut anywhere; what is no size ends them and nothing else", async (t) => {
  const { command, clock, client } = await connected(t, "v5.channel.k8s.io", `${QUERY}&tty=true`);
  await client.next();
  client.send(OPCODES.binary, '\x04{"Width":80,"Height":24}{"wid');
  client.send(OPCODES.binary, '\x04th":100,"height":30}\n');
  client.send(OPCODES.binary, '\x04{"Width":-1}');
  client.send(OPCODES.binary, '\x04{"Width":1,"Height":1}');
  client.send(OPCODES.binary, "\x00go");
  await new Promise((resolve) => command.stdin.once("data", resolve));
  await clock.advance(0);
  assert.deepEqual(command.sizes, [
    { width: 80, height: 24 },
    { width: 100, height: 30 },
  ]);
});

test("a client that vanishes ends the command", async (t) => {
  const { command, ours, over } = await connected(t, "v5.channel.k8s.io");
  ours.destroy(new Error("read ECONNRESET"));
  await over;
  assert.ok(command.endings > 0);
});

test("a client that closes ends the command, and gets its close code back", async (t) => {
  const { command, client, over } = await connected(t, "v5.channel.k8s.io");
  await client.next();
  client.send(OPCODES.close, Uint8Array.of(3, 232));
  assert.equal(await client.next(), "8:\x03\xe8");
  await over;
  assert.ok(command.endings > 0);
});

test("a client that has not begun to read loses nothing: output and end wait for its answer to a ping", async (t) => {
  const { command, clock, client } = await connected(t, "v5.channel.k8s.io");
  assert.deepEqual([await client.frame(), await client.frame()], ["2:\x01", "9:"]);
  command.stdout.write("out");
  command.exit(0);
  const next = client.frame();
  assert.equal(await Promise.race([next, clock.advance(999).then(() => "nothing")]), "nothing");
  client.send(OPCODES.pong, "");
  assert.equal(await next, "2:\x01out");
  assert.equal(await client.frame(), `2:\x03${SUCCESS}`);
});

test("a client that answers no ping gets its output after a second", async (t) => {
  const { command, clock, client } = await connected(t, "v5.channel.k8s.io");
  assert.deepEqual([await client.frame(), await client.frame()], ["2:\x01", "9:"]);
  command.stdout.write("out");
  await clock.advance(1_000);
  assert.equal(await client.frame(), "2:\x01out");
});

test("a ping is answered while the command runs", async (t) => {
  const { client } = await connected(t, "v5.channel.k8s.io");
  await client.next();
  client.send(OPCODES.ping, "are you there");
  assert.equal(await client.next(), "10:are you there");
});

test("the server pings; a connection on which nothing else happens for four hours is closed and its command ended", async (t) => {
  const { command, clock, client, over } = await connected(t, "v5.channel.k8s.io");
  await client.next();
  await clock.advance(30_000);
  assert.equal(await client.next(), "9:");
  void (async () => {
    while ((await client.next()) !== "end");
  })();
  await clock.advance(4 * 3_600_000);
  await over;
  assert.ok(command.endings > 0);
});

const broken = [
  { name: "a frame without a mask", bytes: encodeFrame(OPCODES.binary, Buffer.from("\x00x")), code: 1002 },
  { name: "a half-close without a channel", frame: Uint8Array.of(255), code: 1002 },
  { name: "a half-close of two channels", frame: Uint8Array.of(255, 0, 1), code: 1002 },
  { name: "a half-close of a channel that does not exist", frame: Uint8Array.of(255, 9), code: 1002 },
];
for (const { name, bytes, frame, code } of broken) {
  test(`${name} closes the connection with ${code} and ends the command`, async (t) => {
    const { command, client, over } = await connected(t, "v5.channel.k8s.io");
    await client.next();
    if (bytes === undefined) client.send(OPCODES.binary, frame ?? "");
    else client.raw(bytes);
    assert.equal((await client.next()).slice(0, 4), `8:${String.fromCharCode(code >> 8, code & 255)}`);
    await over;
    assert.ok(command.endings > 0);
  });
}

test("text that is not base64 closes with 1007, a message in base64 beyond the limit with 1009", async (t) => {
  for (const [text, code] of [
    ["0a!", 1007],
    [`0${"A".repeat(1 << 20)}`, 1009],
  ] as const) {
    const { client } = await connected(t, "base64.channel.k8s.io");
    await client.next();
    client.send(OPCODES.text, text);
    assert.equal((await client.next()).slice(0, 4), `8:${String.fromCharCode(code >> 8, code & 255)}`);
  }
});

test("a command that cannot be started is told on the error channel", async (t) => {
  const { client } = await connected(t, "v5.channel.k8s.io", QUERY, () => Promise.reject(new Error("no such program")));
  await client.next();
  const status = JSON.parse((await client.next()).slice("2:\x03".length)) as Record<string, unknown>;
  assert.deepEqual([status["code"], status["reason"], status["message"]], [500, "InternalError", "Internal error occurred: no such program"]);
});

test("input that the command does not read is not kept without limit: the client has to wait", async (t) => {
  const { command, clock, ask } = await world();
  const answer = await ask(QUERY, handshake("v5.channel.k8s.io"));
  const [ours, theirs] = duplexPair();
  const over = answer.takeOver?.(ours);
  theirs.resume();
  const frame = encodeFrame(OPCODES.binary, Buffer.concat([Uint8Array.of(0), Buffer.alloc(64 << 10)]), { mask: Uint8Array.of(0, 0, 0, 0) });
  let sent = 0;
  // A moment after each frame the connection has taken it, or takes nothing more.
  while (sent < 100 && (theirs.write(frame) || (await clock.advance(0), !theirs.writableNeedDrain))) sent += 1;
  assert.ok(sent > 1 && sent < 20, `${sent} frames were taken although nobody reads`);
  command.stdin.resume();
  await new Promise((resolve) => theirs.once("drain", resolve));
  theirs.destroy();
  ours.destroy();
  await t.test("and it ends", () => over);
});

test("output that the client does not read is not kept without limit: the command has to wait", async (t) => {
  const { command, clock, client } = await connected(t, "v5.channel.k8s.io");
  let sent = 0;
  while (sent < 100 && (command.stdout.write(Buffer.alloc(64 << 10)) || (await clock.advance(0), !command.stdout.writableNeedDrain))) sent += 1;
  assert.ok(sent < 20, `${sent} pieces were taken although nobody reads`);
  assert.equal(await client.next(), "2:\x01");
});

test("refusals: no upgrade, no stream, a wrong protocol, half a handshake, a stranger", async () => {
  const { ask } = await world();
  const said = async (query: string, headers: Record<string, string>, method?: string) => {
    const { status, body, takeOver } = await ask(query, headers, method);
    assert.equal(takeOver, undefined);
    return [status, (JSON.parse(body as string) as { message: string }).message];
  };
  assert.deepEqual(await said(QUERY, {}), [400, "Upgrade request required"]);
  assert.deepEqual(await said("", handshake("v5.channel.k8s.io")), [400, "you must specify at least 1 of stdin, stdout, stderr"]);
  const [status, message] = await said(QUERY, handshake("v9.channel.k8s.io, other"));
  assert.equal(status, 403);
  assert.match(String(message), /^requested protocol\(s\) are not supported: \[v9\.channel\.k8s\.io other\]; supports \[v5\.channel\.k8s\.io /);
  assert.equal((await said(QUERY, { ...handshake("v5.channel.k8s.io"), "sec-websocket-version": "8" }))[0], 400);
  assert.equal((await said(QUERY, { ...handshake("v5.channel.k8s.io"), "sec-websocket-key": "short" }))[0], 400);
  assert.equal((await said(QUERY, { ...handshake("v5.channel.k8s.io"), authorization: "Bearer bad" }))[0], 401);
});
