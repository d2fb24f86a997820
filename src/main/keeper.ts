// Entry file of the keeper: takes the data folder and the sockets (or inherits them), then keeps a platform running.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSystemRng, systemClock } from "#host";
import { createJsonLogger } from "#host/log";
import { inheritSockets, lockDataFolder, parseKeeperArgs, runKeeper, type DataLock, type KeeperOptions, type ListeningSockets } from "#keeper";
import { dataFolder, prepareDataFolder } from "./data-folder.ts";
import { environment, nodeFlags, parseSettings, parseUp, settingsArgument, type UpRequest } from "./options.ts";
import { openSockets } from "./ports.ts";
import { firstSteps, type ReadyState } from "./ready-text.ts";

/** How long a keeper that takes over waits for the lock of the one that died. */
const LOCK_WAIT_MS = 5_000;

interface Opened {
  readonly dataDir: string;
  readonly lock: DataLock;
  readonly sockets: ListeningSockets;
  readonly platformArgv: readonly string[];
  readonly orphanGraceMs: number;
  readonly onReady: (line: string) => void;
  readonly previousPlatform?: NonNullable<KeeperOptions["previousPlatform"]>;
}

async function openFirst(request: UpRequest): Promise<Opened> {
  const folder = prepareDataFolder(request.dataDir);
  const lock = lockDataFolder(folder.root);
  if (lock === "held")
    throw new Error(
      `the data folder ${folder.root} is in use by a running platform; \`eider status --data ${folder.root}\` shows it, \`eider up --take-over\` replaces it`,
    );
  const sockets = await openSockets(request, folder.run, availableParallelism());
  const { host, domain, externalPort, orphanGraceMs, diskBudget, registryAuth, containerHost } = request;
  let announced = false;
  return {
    dataDir: folder.root,
    lock,
    sockets,
    orphanGraceMs,
    platformArgv: [settingsArgument({ host, domain, externalPort, orphanGraceMs, diskBudget, registryAuth, containerHost, startedAtMs: systemClock.wallMs() })],
    onReady(line) {
      if (announced) return;
      announced = true;
      process.stdout.write(request.format === "json" ? `${line}\n` : firstSteps(JSON.parse(line) as ReadyState));
    },
  };
}

async function openTakeover(start: NonNullable<ReturnType<typeof parseKeeperArgs>>): Promise<Opened> {
  const until = systemClock.monotonicMs() + LOCK_WAIT_MS;
  let lock = lockDataFolder(start.dataDir);
  while (lock === "held" && systemClock.monotonicMs() < until) {
    await systemClock.sleep(10, new AbortController().signal);
    lock = lockDataFolder(start.dataDir);
  }
  if (lock === "held") throw new Error(`the data folder ${start.dataDir} is held by another keeper`);
  const { dataDir, sockets, argv, orphanGraceMs, previousPlatform } = start;
  return {
    dataDir,
    lock,
    sockets: inheritSockets(sockets),
    platformArgv: argv,
    orphanGraceMs: orphanGraceMs ?? parseSettings(argv).orphanGraceMs,
    previousPlatform,
    onReady: () => undefined,
  };
}

async function main(): Promise<number> {
  const takeover = parseKeeperArgs(process.argv);
  const request = parseUp(process.argv);
  if (takeover === undefined && request === undefined) throw new Error("the keeper is started by `eider up`");
  const opened = takeover === undefined ? await openFirst(request as UpRequest) : await openTakeover(takeover);
  const ending = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => ending.abort());
  // The reader of the first line may be gone by the time something else is printed.
  process.stdout.on("error", () => undefined);
  process.chdir(opened.dataDir);
  const logger = createJsonLogger({ path: `${dataFolder(opened.dataDir).log}/keeper.log`, level: "info", name: "keeper" });
  const end = await runKeeper(
    {
      ...opened,
      onEnded: () => clearSandboxes(opened.dataDir),
      clock: systemClock,
      rng: createSystemRng(),
      logger,
      platform: {
        execPath: process.execPath,
        execArgv: [...nodeFlags(process.execArgv), fileURLToPath(import.meta.resolve("#entry/platform"))],
        argv: opened.platformArgv,
        env: environment(),
      },
    },
    ending.signal,
  );
  return end === "shutdown" ? 0 : 1;
}

/** What the sandboxes of the last platform still have on the machine; nobody else is left who would remove it. */
async function clearSandboxes(dataDir: string): Promise<void> {
  if (!existsSync(join(dataDir, "sandbox"))) return;
  const { removeSandboxes } = await import("#runtimes/remove-sandboxes");
  await removeSandboxes({ dataDir, path: process.env["PATH"] ?? "" });
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`Error: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
