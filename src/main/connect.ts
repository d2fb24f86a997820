// The command line's connection to an API server.
import { request } from "node:https";
import type { Connection } from "#cli";
import { createClient, createHttpTransport, loadKubeconfigFile } from "#client";
import { fromStatus, silentLogger, StatusError } from "#core";
import { systemClock } from "#host";

export async function connect(kubeconfig: string, version: string): Promise<Connection> {
  const access = await loadKubeconfigFile(kubeconfig);
  const userAgent = `eider/${version}`;
  const transport = createHttpTransport({ ...access, clock: systemClock, logger: silentLogger, userAgent });
  return {
    client: createClient(transport),
    namespace: access.namespace,
    close: () => transport.close(),
    async *openText(path, signal, body) {
      const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
        const call = request(
          access.server + path,
          {
            method: body === undefined ? "GET" : "POST",
            ...(access.ca === undefined ? {} : { ca: access.ca }),
            ...(access.cert === undefined ? {} : { cert: access.cert }),
            ...(access.key === undefined ? {} : { key: access.key }),
            headers: { "User-Agent": userAgent, ...(access.token === undefined ? {} : { Authorization: `Bearer ${access.token}` }) },
            signal,
          },
          resolve,
        );
        call.once("error", (cause) => reject(new StatusError("ServiceUnavailable", `${access.server} cannot be reached: ${cause.message}`, { cause })));
        call.end(body);
      });
      response.setEncoding("utf8");
      if (response.statusCode !== 200) {
        let text = "";
        for await (const chunk of response as AsyncIterable<string>) text += chunk;
        throw fromStatus(JSON.parse(text) as Parameters<typeof fromStatus>[0]);
      }
      yield* response as AsyncIterable<string>;
    },
  };
}
