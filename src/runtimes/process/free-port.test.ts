import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { isFree, stillFree } from "./free-port.ts";

test("a port that somebody listens on is given up by the container that starts, and by no other", async () => {
  const stranger = createServer().listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const { port } = stranger.address() as AddressInfo;
  assert.equal(isFree(port), false);
  assert.deepEqual(stillFree({ "8080": port, "9090": port }, [{ containerPort: 8080 }]), { "9090": port });
  stranger.close();
  await once(stranger, "close");
  assert.deepEqual(stillFree({ "8080": port }, [{ containerPort: 8080 }]), { "8080": port });
});
