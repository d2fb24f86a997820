// The command line's request that sends an event: names below `localhost` are this machine's, whatever the resolver says.
import { lookup } from "node:dns";
import { request } from "node:http";
import { request as secureRequest } from "node:https";
import type { LookupFunction } from "node:net";
import type { CliContext } from "#cli";
import { StatusError } from "#core";

const ANSWER_BYTES_MAX = 64 << 10;

const local: LookupFunction = (name, options, done) => {
  if (!name.endsWith(".localhost")) return lookup(name, options, done);
  const address = { address: "127.0.0.1", family: 4 };
  if (options.all === true) done(null, [address]);
  else done(null, address.address, address.family);
};

export const postEvent: CliContext["post"] = (url, { headers, body }, signal) =>
  new Promise((resolve, reject) => {
    const start = url.startsWith("https:") ? secureRequest : request;
    const call = start(
      url,
      { method: "POST", headers: { ...headers, "content-length": String(Buffer.byteLength(body)) }, lookup: local, signal },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          if (text.length < ANSWER_BYTES_MAX) text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on("error", reject);
      },
    );
    call.once("error", (cause) => reject(new StatusError("ServiceUnavailable", `${url} cannot be reached: ${cause.message}`, { cause })));
    call.end(body);
  });
