// Configurations of nginx and haproxy for the gateway bench: one worker, kept connections, 1,000 hosts, forwarding headers, an access log in a file.
import { hostName, HOSTS } from "./gateway-requests.ts";

interface Place {
  readonly folder: string;
  readonly port: number;
}

/** Connections that a contender may have: 5,000 of clients and as many to the back-end. */
const CONNECTIONS = 16_384;
/** A proxy does not close what the bench goes on using. */
const FOREVER = 100_000_000;
const names = (): string[] => Array.from({ length: HOSTS }, (_, index) => hostName(index));

function nginxFrame({ folder }: Place, http: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  return `daemon off; pid ${folder}/nginx.pid; worker_processes 1; worker_rlimit_nofile ${CONNECTIONS}; user ${process.getuid?.() === 0 ? "root" : "nobody"};
events { worker_connections ${CONNECTIONS}; }
http { keepalive_requests ${FOREVER}; keepalive_timeout 600s; server_names_hash_bucket_size 128; server_names_hash_max_size 4096; ${temporary}
${http} }
`;
}

/** The application: 35 octets for any path, a file for \`/large\`. */
export function nginxBackendConfig(place: Place): string {
  const large = `location = /large { root ${place.folder}; sendfile on; open_file_cache max=10; default_type text/plain; }`;
  const small = `location / { default_type text/plain; return 200 "Hello from the application: a page.\\n"; }`;
  return nginxFrame(place, `access_log off; server { listen 127.0.0.1:${place.port} backlog=4096; ${large} ${small} }`);
}

/** As a careful operator would: buffered log, kept connections to the application, the headers that applications want. */
export function nginxConfig(place: Place & { readonly backend: number }): string {
  const headers = [
    "Connection $connection_upgrade",
    "Upgrade $http_upgrade",
    "Host $host",
    "X-Forwarded-For $proxy_add_x_forwarded_for",
    "X-Forwarded-Proto $scheme",
  ].map((header) => `proxy_set_header ${header};`);
  return nginxFrame(
    place,
    `access_log ${place.folder}/access.log combined buffer=64k flush=1s; client_max_body_size 0;
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
upstream app { server 127.0.0.1:${place.backend}; keepalive 8192; keepalive_requests ${FOREVER}; keepalive_timeout 600s; }
server { listen 127.0.0.1:${place.port} backlog=4096; server_name ${names().join(" ")};
  location / { proxy_pass http://app; proxy_http_version 1.1; proxy_request_buffering off; ${headers.join(" ")} } }`,
  );
}

/** `map` is a file of the folder, \`hosts.map\`. */
export function haproxyConfig({ folder, port, backend }: Place & { readonly backend: number }): { readonly config: string; readonly map: string } {
  const config = `global
  nbthread 1
  maxconn 9000
defaults
  mode http
  option httplog
  option http-keep-alive
  log stdout format raw local0
  timeout connect 5s
  timeout client 600s
  timeout server 300s
  timeout http-keep-alive 600s
frontend front
  bind 127.0.0.1:${port} backlog 4096
  option forwardfor
  http-request set-header X-Forwarded-Proto http
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
