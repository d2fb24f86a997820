// Who gets the waiting page, and that it wakes the revision all the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequestHead } from "../http/request-head.ts";
import { answering, backendEntry, eventually, hostEntry, ok, request, startClient, startGateway, startPod } from "../testing.ts";
import { wantsPage } from "./waiting-page.ts";

const BROWSER = ["Accept: text/html,application/xhtml+xml,*/*;q=0.8"];

const rows: readonly { name: string; method?: string; lines: readonly string[]; want: boolean }[] = [
  { name: "a browser that navigates", lines: [...BROWSER, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"], want: true },
  { name: "a browser that tells nothing", lines: BROWSER, want: true },
  { name: "Accept in capitals and several lines", lines: ["Accept: application/json", "ACCEPT: TEXT/HTML"], want: true },
  { name: "a script's request", lines: [...BROWSER, "Sec-Fetch-Mode: cors"], want: false },
  { name: "curl", lines: ["Accept: */*"], want: false },
  { name: "nothing said", lines: [], want: false },
  { name: "a form that is sent", method: "POST", lines: [...BROWSER, "Content-Length: 0"], want: false },
  { name: "HEAD", method: "HEAD", lines: BROWSER, want: false },
  { name: "a websocket", lines: [...BROWSER, "Connection: Upgrade", "Upgrade: websocket"], want: false },
];
for (const { name, method, lines, want } of rows) {
  test(`waiting page: ${name}`, () => {
    const head = parseRequestHead(request("/", lines, method));
    assert.ok(!("reason" in head));
    assert.equal(wantsPage(head), want);
  });
}

test("a browser at zero gets the page at once and wakes the revision; its script's request is held and answered by the pod", async () => {
  await using gateway = await startGateway();
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ waitingPage: true })] });
  using browser = await startClient(gateway.gateway.port);
  browser.send(request("/", BROWSER));
  const page = await browser.until((text) => text.endsWith("</script>\n"));
  assert.match(page, /^HTTP\/1\.1 503 Service Unavailable\r\nContent-Type: text\/html; charset=utf-8\r\nCache-Control: no-store\r\nRetry-After: 2\r\n/);
  assert.equal((await gateway.message("wake")).backend, "ns/rev");
  assert.equal((await gateway.message("load")).backends[0]?.requestCount, 1);
  browser.send(request("/", ["Accept: */*"], "HEAD"));
  await eventually(() => gateway.counter("eider_gateway_held_requests_total") === 1);
  await using pod = await startPod(answering((head) => (head.startsWith("HEAD") ? "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" : ok("app"))));
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  gateway.routes({ backends: [backendEntry({ waitingPage: true, pods })] });
  await browser.until((text) => text.endsWith("Content-Length: 3\r\n\r\n"));
  browser.send(request("/", BROWSER));
  await browser.until((text) => text.endsWith("app"));
});

test("without the annotation a browser is held like everybody", async () => {
  await using gateway = await startGateway();
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry()] });
  using browser = await startClient(gateway.gateway.port);
  browser.send(request("/", BROWSER));
  await eventually(() => gateway.counter("eider_gateway_held_requests_total") === 1);
  assert.equal(browser.text(), "");
});
