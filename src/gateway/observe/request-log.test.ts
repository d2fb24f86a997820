import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTextTemplate, TemplateFault } from "#core";
import type { RequestFacts } from "../request/request-facts.ts";
import { parseRequestHead } from "../http/request-head.ts";
import { RequestLog } from "./request-log.ts";
import { requestValues } from "./request-values.ts";

const DEFAULT =
  '{"httpRequest": {"requestMethod": "{{.Request.Method}}", "requestUrl": "{{js .Request.RequestURI}}", "requestSize": "{{.Request.ContentLength}}", "status": {{.Response.Code}}, "responseSize": "{{.Response.Size}}", "userAgent": "{{js .Request.UserAgent}}", "remoteIp": "{{js .Request.RemoteAddr}}", "serverIp": "{{.Revision.PodIP}}", "referer": "{{js .Request.Referer}}", "latency": "{{.Response.Latency}}s", "protocol": "{{.Request.Proto}}"}, "traceId": "{{.TraceID}}"}';

const LINES = ['User-Agent: curl/7 "q"', "X-Foo: a\"b<c>'", "X-Utf: h\xc3\xa9", "X-Bad: h\xe9"];

function facts(target = "/a/b?x=1&y=%20z", lines: readonly string[] = LINES): RequestFacts {
  const head = parseRequestHead(`GET ${target} HTTP/1.1\r\nHost: app.test\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`);
  assert.ok(!("reason" in head));
  const backend = { key: "ns/rev", entry: { service: "svc", configuration: "conf" } };
  const pod = { name: "pod-1", address: { host: "10.0.0.1", port: 8080 } };
  const { method, minor } = head;
  const its = {
    head,
    method,
    minor,
    parked: undefined,
    backend,
    pod,
    clientAddress: "192.0.2.1",
    status: 200,
    responseBytes: 5,
    arrivedMs: 100,
    endedMs: 108.42,
    trace: undefined,
  };
  return its as unknown as RequestFacts;
}

/** Templates and what Go's text/template (1.25) made of them for the same request. */
const RECORDED: readonly (readonly [template: string, want: { readonly text?: string; readonly error?: string; readonly fault?: true }])[] = [
  ["plain {{.Request.Method}} {{.Response.Code}}", { text: "plain GET 200" }],
  ["{{js .Request.RequestURI}}", { text: "/a/b?x\\u003D1\\u0026y\\u003D%20z" }],
  ["{{.Request.UserAgent | js}}", { text: 'curl/7 \\"q\\"' }],
  ["{{js .Request.UserAgent}}", { text: 'curl/7 \\"q\\"' }],
  ['{{.Request.Header.Get "x-foo"}}', { text: "a\"b<c>'" }],
  ['{{js (.Request.Header.Get "x-foo")}}', { text: "a\\\"b\\u003Cc\\u003E\\'" }],
  ['{{js (.Request.Header.Get "x-utf")}}', { text: "hé" }],
  ['{{index .Request.Header "X-Foo"}}', { text: "[a\"b<c>']" }],
  ['{{index .Request.Header "X-Foo" 0}}', { text: "a\"b<c>'" }],
  ['{{index .Request.Header "Nope"}}', { text: "[]" }],
  ['{{(index .Request.Header "X-Foo")}}', { text: "[a\"b<c>']" }],
  ["{{if eq .Response.Code 200}}ok{{else}}bad{{end}}", { text: "ok" }],
  ['{{if gt .Response.Code 299}}bad{{else if eq .Request.Method "GET"}}get{{else}}other{{end}}', { text: "get" }],
  ["{{if .Request.Referer}}x{{end}}y", { text: "y" }],
  ["{{if and (eq .Response.Code 200) (not .Request.Referer)}}yes{{end}}", { text: "yes" }],
  [
    '{{printf "%.3f|%6d|%-5s|%q|%v|%05d|%x|%%" .Response.Latency .Response.Code .Request.Method .Request.Host .Request.Proto 42 255}}',
    { text: '0.008|   200|GET  |"app.test"|HTTP/1.1|00042|ff|%' },
  ],
  ['{{printf "%d" .Request.Method}}', { text: "%!d(string=GET)" }],
  ['{{printf "%s %s" .Request.Method}}', { text: "GET %!s(MISSING)" }],
  ['{{printf "%s" .Request.Method 1}}', { text: "GET%!(EXTRA int=1)" }],
  [
    "{{.Request.URL}} {{.Request.URL.Path}} {{.Request.URL.RawQuery}} {{.Request.ContentLength}} {{.Request.ProtoMajor}}",
    { text: "/a/b?x=1&y=%20z /a/b x=1&y=%20z 0 1" },
  ],
  ['{{.Request.URL.Query.Get "y"}}|{{.Request.URL.String}}|{{.Request.URL.RequestURI}}', { text: " z|/a/b?x=1&y=%20z|/a/b?x=1&y=%20z" }],
  ["a  {{- .Request.Method -}}  b", { text: "aGETb" }],
  ["{{/* a comment */}}x", { text: "x" }],
  ['{{`raw \\n`}} {{"q\\t"}}', { text: "raw \\n q\t" }],
  ["{{len .Request.Method}}", { text: "3" }],
  ['{{print 1 2 "a" "b" 3}}', { text: "1 2ab3" }],
  ['{{println "a" 1}}', { text: "a 1\n" }],
  ['{{urlquery "a b&c"}}', { text: "a+b%26c" }],
  ["{{.Request.Nope}}", { fault: true }],
  ["{{end}}", { error: "template: requestLog:1: unexpected {{end}}" }],
  ["{{if .Request.Referer}}", { error: "template: requestLog:1: unexpected EOF" }],
  ["{{", { error: "template: requestLog:1: unclosed action" }],
  ["{{.Request.Method", { error: "template: requestLog:1: unclosed action" }],
  ["{{}}", { error: "template: requestLog:1: missing value for command" }],
  ["{{nofunc 1}}", { error: 'template: requestLog:1: function "nofunc" not defined' }],
  ["{{if .Request.Referer}}{{else}}{{else}}{{end}}", { error: "template: requestLog:1: expected end; found {{else}}" }],
  ["{{.Request.Method |}}", { text: "GET" }],
  ["{{(.Request.Method}}", { error: "template: requestLog:1: unclosed left paren" }],
  ['{{or .Request.Referer "d"}}', { text: "d" }],
  ['{{lt 1 2}} {{ne "a" "b"}} {{le 2 2}} {{ge 1 2}}', { text: "true true true false" }],
  ["{{1.5}} {{true}}", { text: "1.5 true" }],
  ["{{.Request.Header.Get}}", { fault: true }],
  ["{{- /* c */ -}} z", { text: "z" }],
  ['{{eq .Response.Code "200"}}', { fault: true }],
  ["{{.Request.Referer}}|{{.Request.Host}}", { text: "|app.test" }],
  ['}}x{{"}}"}}', { text: "}}x}}" }],
];

for (const [template, want] of RECORDED) {
  test(`a template is what Go makes of it: ${template}`, () => {
    const parsed = parseTextTemplate("requestLog", template);
    if ("error" in parsed || want.error !== undefined) return assert.deepEqual(parsed, { error: want.error });
    if (want.fault === true) return assert.throws(() => parsed.render(requestValues(facts())), TemplateFault);
    // Octets as they go to the file.
    assert.equal(Buffer.from(parsed.render(requestValues(facts())), "latin1").toString("utf8"), want.text);
  });
}

function lineOf(template: string, of: RequestFacts, probes = false): string {
  const parsed = parseTextTemplate("requestLog", template);
  assert.ok(!("error" in parsed));
  let lines = "";
  new RequestLog({ template: parsed, probes, add: (line) => void (lines += line) }).ended(of);
  return lines;
}

test("the default template makes a line of JSON", () => {
  const line = lineOf(DEFAULT, facts("/a?b=1", [...LINES, "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "Referer: http://x/'"]));
  assert.equal(
    line,
    '{"httpRequest": {"requestMethod": "GET", "requestUrl": "/a?b\\u003D1", "requestSize": "0", "status": 200, "responseSize": "5", "userAgent": "curl/7 \\"q\\"", "remoteIp": "192.0.2.1", "serverIp": "10.0.0.1", "referer": "http://x/\\\'", "latency": "0.00842s", "protocol": "HTTP/1.1"}, "traceId": "0af7651916cd43dd8448eb211c80319c"}\n',
  );
  assert.equal(
    lineOf("{{.Revision.Namespace}} {{.Revision.Name}} {{.Revision.Service}} {{.Revision.Configuration}} {{.Revision.PodName}}", facts()),
    "ns rev svc conf pod-1\n",
  );
});

test("a template that cannot be evaluated gives Knative's line", () => {
  assert.equal(lineOf("{{.Request.Nope}}", facts()), "Invalid request log template: method: GET, response code: 200, latency: 0.00842, url: /a/b?x=1&y=%20z\n");
});

test("probes are logged only when asked for, and requests without a revision never", () => {
  const probe = facts("/", ["User-Agent: kube-probe/1.34"]);
  assert.equal(lineOf("x", probe), "");
  assert.equal(lineOf("x", probe, true), "x\n");
  assert.equal(lineOf("x", { ...facts(), backend: undefined }), "");
});

test("a client can neither end a line nor make a huge one", () => {
  assert.equal(lineOf('{{.Request.URL.Query.Get "y"}}', facts("/?y=a%0d%0aGET%20/admin")), "a  GET /admin\n");
  assert.equal(lineOf("{{.Request.URL.Path}}", facts("/a%0Ab")), "/a b\n");
  assert.ok(lineOf("{{.Request.RequestURI}}".repeat(9), facts(`/${"x".repeat(7_000)}`)).length === 16 * 1024 + 1);
});

test("a template that would cost too much is refused", () => {
  assert.match(JSON.stringify(parseTextTemplate("t", "x".repeat(20_000))), /longer than/);
  assert.match(JSON.stringify(parseTextTemplate("t", `${"{{if true}}".repeat(200)}${"{{end}}".repeat(200)}`)), /too deeply/);
  assert.match(JSON.stringify(parseTextTemplate("t", `{{${"(".repeat(200)}1${")".repeat(200)}}}`)), /too deeply/);
  assert.match(JSON.stringify(parseTextTemplate("t", "{{range .X}}{{end}}")), /range.*is not supported/);
  const wide = parseTextTemplate("t", '{{printf "%9999999d" 1}}');
  assert.ok("render" in wide && wide.render(requestValues(facts())).length <= 200);
});
