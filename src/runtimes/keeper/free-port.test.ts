import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { isFree } from "./free-port.ts";

test("a port that somebody listens on is not free, until they have gone", async () => {
  const stranger = createServer().listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const { port } = stranger.address() as AddressInfo;
  assert.equal(isFree(port), false);
  stranger.close();
  await once(stranger, "close");
  assert.equal(isFree(port), true);
});
