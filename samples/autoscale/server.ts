// Sleeps (`sleep`, ms), computes (`prime`, largest prime below N) and allocates (`bloat`, MB) on request, to see a service grow and shrink.
// `/served` tells how many other requests this process has answered.
const http: typeof import("node:http") = require("node:http");

const PRIME_MAX = 100_000_000;
const BLOAT_MAX_MB = 1_000;
const SLEEP_MAX_MS = 600_000;

/** The largest prime below `limit`, by a sieve; undefined when there is none. */
function largestPrimeBelow(limit: number): number | undefined {
  const composite = new Uint8Array(Math.max(0, limit));
  for (let factor = 2; factor * factor < limit; factor++) {
    if (composite[factor] === 1) continue;
    for (let multiple = factor * factor; multiple < limit; multiple += factor) composite[multiple] = 1;
  }
  for (let candidate = limit - 1; candidate >= 2; candidate--) if (composite[candidate] === 0) return candidate;
  return undefined;
}

/** A whole number from 1 to `max`; undefined when the parameter is absent. */
function parameter(query: URLSearchParams, name: string, max: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) throw new RangeError(`${name} is a whole number from 1 to ${max}`);
  return value;
}

async function answer(query: URLSearchParams): Promise<string> {
  const sleepMs = parameter(query, "sleep", SLEEP_MAX_MS);
  const primeLimit = parameter(query, "prime", PRIME_MAX);
  const bloatMb = parameter(query, "bloat", BLOAT_MAX_MB);
  const lines: string[] = [];
  if (bloatMb !== undefined) {
    const memory = Buffer.alloc(bloatMb * 1_000_000, 1);
    lines.push(`Allocated ${memory.length / 1_000_000} MB of memory.`);
  }
  if (primeLimit !== undefined) {
    const prime = largestPrimeBelow(primeLimit);
    lines.push(prime === undefined ? `There is no prime below ${primeLimit}.` : `The largest prime less than ${primeLimit} is ${prime}.`);
  }
  if (sleepMs !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, sleepMs));
    lines.push(`Slept for ${sleepMs} milliseconds.`);
  }
  return lines.length > 0 ? lines.join("\n") : `Hello ${process.env["TARGET"] ?? "World"}!`;
}

let served = 0;

const server = http.createServer((request, response) => {
  const [path, search = ""] = (request.url ?? "").split("?");
  if (path === "/served") {
    response.end(`${served}\n`);
    return;
  }
  const query = new URLSearchParams(search);
  response.once("finish", () => served++);
  answer(query).then(
    (text) => response.end(`${text}\n`),
    (error: unknown) => {
      response.statusCode = error instanceof RangeError ? 400 : 500;
      response.end(`${error instanceof Error ? error.message : "failed"}\n`);
    },
  );
});
server.listen(Number(process.env["PORT"] ?? 8080));

process.once("SIGTERM", () => {
  console.log(`served ${served} requests`);
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
