// The fake API keeps the contract of every transport.
import { SimClock } from "#core";
import { APPLY, clientContract } from "./contract.test-suite.ts";
import { FakeApi } from "./fake-api.ts";
import { ConfigMaps } from "./fake-kind.test-suite.ts";

clientContract("FakeApi", async () => ({ transport: new FakeApi(new SimClock()), kind: ConfigMaps, namespace: "default", close: async () => {} }), {
  [APPLY]: "the fake knows merge patches only",
});
