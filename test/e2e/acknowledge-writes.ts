// Writes to a store and says on stdout when each write was acknowledged: a test watches its system calls.
import { writeSync } from "node:fs";
import { openStore } from "./power-cut.ts";

const store = await openStore(process.argv[2] ?? "");
for (let count = 0; count < 20; count++) {
  await store.put({ key: `/key/${count % 5}`, encode: () => "x".repeat(count * 900), expect: "any", durability: "durable" });
  writeSync(1, `acknowledged ${count}\n`);
}
await store.close();
