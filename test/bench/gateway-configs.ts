// Configurations of nginx and haproxy for the gateway bench: one worker, kept connections, 1,000 hosts, forwarding headers, an access log in a file.
import { hostName, HOSTS } from "./gateway-requests.ts";

interface Place {
  readonly folder: string;
  readonly port: number;
}

/** Connections that a contender may have: 5,000 of clients and as many to the back-end. */
const CONNECTIONS = 16_384;
/** Connections that the application may have: those of all contenders, who keep what they have while others have their turn. */
const KEPT_CONNECTIONS = 65_536;
/** A proxy does not close what the bench goes on using. */
const FOREVER = 100_000_000;
const names = (): string[] => Array.from({ length: HOSTS }, (_, index) => hostName(index));

function nginxFrame({ folder }: Place, connections: number, http: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  return `daemon off; pid ${folder}/nginx.pid; worker_processes 1; worker_rlimit_nofile ${connections}; user ${process.getuid?.() === 0 ? "root" : "nobody"};
events { worker_connections ${connections}; }
http { keepalive_requests ${FOREVER}; keepalive_timeout 600s; server_names_hash_bucket_size 128; server_names_hash_max_size 4096; ${temporary}
${http} }
`;
}

/** The application: 35 octets for any path, a file for \`/large\`. */
export function nginxBackendConfig(place: Place): string {
  const large = `location = /large { root ${place.folder}; sendfile on; open_file_cache max=10; default_type text/plain; }`;
  const small = `location / { default_type text/plain; return 200 "Hello from the application: a page.\\n"; }`;
  return nginxFrame(place, KEPT_CONNECTIONS, `access_log off; server { listen 127.0.0.1:${place.port} backlog=4096; ${large} ${small} }`);
}

/** The fields of a line of our access log in JSON, in its order, from what a proxy has; one that cannot tell a thing tells what comes nearest. */
function jsonLog(values: Readonly<Record<LogField, string>>): string {
  const quoted = (field: LogField): string => (TEXTS.has(field) ? `"${values[field]}"` : values[field]);
  return `{${LOG_FIELDS.map((field) => `"${field}":${quoted(field)}`).join(",")}}`;
}

const LOG_FIELDS = [
  ...(["time", "client", "method", "host", "path", "protocol", "status", "requestBytes", "responseBytes"] as const),
  ...(["queueMs", "firstByteMs", "totalMs", "revision", "pod", "retries", "traceId", "outcome"] as const),
] as const;
type LogField = (typeof LOG_FIELDS)[number];
const TEXTS: ReadonlySet<LogField> = new Set(["time", "client", "method", "host", "path", "protocol", "revision", "pod", "traceId", "outcome"] as const);

/** nginx counts no retries; their number shows in the list of the servers that were asked. */
const NGINX_LOG = jsonLog({
  time: "$time_iso8601",
  client: "$remote_addr",
  method: "$request_method",
  host: "$host",
  path: "$request_uri",
  protocol: "$server_protocol",
  status: "$status",
  requestBytes: "$request_length",
  responseBytes: "$body_bytes_sent",
  queueMs: "$upstream_connect_time",
  firstByteMs: "$upstream_header_time",
  totalMs: "$request_time",
  revision: "$server_name",
  pod: "$upstream_addr",
  retries: "0",
  traceId: "$http_traceparent",
  outcome: "$request_completion",
});

const HAPROXY_LOG = jsonLog({
  time: "%T",
  client: "%ci",
  method: "%HM",
  host: "%[capture.req.hdr(0)]",
  path: "%HU",
  protocol: "%HV",
  status: "%ST",
  requestBytes: "%U",
  responseBytes: "%B",
  queueMs: "%Tw",
  firstByteMs: "%Tr",
  totalMs: "%Ta",
  revision: "%b",
  pod: "%si:%sp",
  retries: "%rc",
  traceId: "%[capture.req.hdr(1)]",
  outcome: "%ts",
});

/** As a careful operator would: buffered log, kept connections to the application, the headers that applications want, and the same work as ours. */
export function nginxConfig(place: Place & { readonly backend: number }): string {
  const headers = [
    "Connection $connection_upgrade",
    "Upgrade $http_upgrade",
    "Host $host",
    "X-Forwarded-For $proxy_add_x_forwarded_for",
    "X-Forwarded-Proto $scheme",
    'Forwarded "for=$remote_addr;proto=$scheme"',
  ].map((header) => `proxy_set_header ${header};`);
  return nginxFrame(
    place,
    CONNECTIONS,
    `log_format json escape=json '${NGINX_LOG}'; access_log ${place.folder}/access.log json buffer=64k flush=1s; client_max_body_size 0;
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
upstream app { server 127.0.0.1:${place.backend}; keepalive 8192; keepalive_requests ${FOREVER}; keepalive_timeout 600s; }
server { listen 127.0.0.1:${place.port} backlog=4096; server_name ${names().join(" ")};
  location / { proxy_pass http://app; proxy_http_version 1.1; proxy_request_buffering off; ${headers.join(" ")} } }`,
  );
}

/** Octets there and back, and no HTTP: the least that a program between two others costs. */
export function relayConfig({ port, backend }: { readonly port: number; readonly backend: number }): string {
  return `global
  nbthread 1
  maxconn 9000
defaults
  mode tcp
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend front
  bind 127.0.0.1:${port} backlog 4096
  default_backend app
backend app
  server app 127.0.0.1:${backend}
`;
}

/** `map` is a file of the folder, \`hosts.map\`. */
export function haproxyConfig({ folder, port, backend }: Place & { readonly backend: number }): { readonly config: string; readonly map: string } {
  const config = `global
  nbthread 1
  maxconn 9000
defaults
  mode http
  log-format '${HAPROXY_LOG}'
  option http-keep-alive
  log stdout format raw local0
  timeout connect 5s
  timeout client 600s
  timeout server 300s
  timeout http-keep-alive 600s
frontend front
  bind 127.0.0.1:${port} backlog 4096
  option forwardfor
  http-request capture req.hdr(host) len 64
  http-request capture req.hdr(traceparent) len 64
  http-request set-header X-Forwarded-Proto http
  http-request set-header Forwarded for=%ci;proto=http
  http-request deny deny_status 404 unless { req.hdr(host),lower,map(${folder}/hosts.map) -m found }
  default_backend app
backend app
  http-reuse always
  server app 127.0.0.1:${backend} pool-max-conn -1
`;
  return {
    config,
    map: names()
      .map((name) => `${name} app\n`)
      .join(""),
  };
}
