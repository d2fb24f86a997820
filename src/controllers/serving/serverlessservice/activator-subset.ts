// Which activators serve a revision: the same few everywhere, and others for other revisions (serving.md 2.10).

const RING_SIZE = 2048n;
const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** 64-bit FNV-1a of the text, as a place on the ring. */
function placeOf(text: string): number {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  return Number(hash % RING_SIZE);
}

/** The next free address clockwise from `angle`. */
function nextFrom(angle: number, free: readonly (readonly [place: number, address: string])[]): string | undefined {
  return (free.find(([place]) => place >= angle) ?? free[0])?.[1];
}

/** `count` of the addresses (0: all), chosen by the revision's name; sorted. */
export function activatorSubset(addresses: readonly string[], count: number, revision: string): readonly string[] {
  const sorted = [...new Set(addresses)].sort();
  if (count === 0 || count >= sorted.length) return sorted;
  let free = sorted.map((address) => [placeOf(address + revision), address] as const).sort(([a], [b]) => a - b);
  const step = placeOf(`${revision}step-angle-salt`);
  let angle = placeOf(`${revision}start-angle-salt`);
  const chosen = new Set<string>();
  while (chosen.size < count) {
    const next = nextFrom(angle, free);
    if (next === undefined) break;
    chosen.add(next);
    free = free.filter(([, address]) => address !== next);
    angle = (angle + step) % Number(RING_SIZE);
  }
  return sorted.filter((address) => chosen.has(address));
}
