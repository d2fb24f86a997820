// One POST of JSON over HTTPS to a server that proves itself to a given authority.
import { request } from "node:https";

export interface HttpsPost {
  readonly url: string;
  /** Where to connect, when it is not where the URL says: the name of the URL is what the certificate must be for. */
  readonly at?: { readonly host: string; readonly port: number };
  /** PEM; default: the authorities that the machine trusts. */
  readonly ca?: string;
  readonly body: string;
  /** For all of it, from the connection to the last byte. */
  readonly timeoutMs: number;
}

/** Longer answers are given up. */
const ANSWER_BYTES_MAX = 64 << 20;

/** Rejects with an Error whose text begins `Post "URL": `. */
export function httpsPost({ url, at, ca, body, timeoutMs }: HttpsPost): Promise<{ readonly status: number; readonly text: string }> {
  const target = new URL(url);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(deadline);
      outgoing.destroy();
      reject(new Error(`Post ${JSON.stringify(url)}: ${error.message}`, { cause: error }));
    };
    const outgoing = request(
      {
        method: "POST",
        host: at?.host ?? target.hostname.replaceAll(/^\[|\]$/g, ""),
        port: at?.port ?? (target.port === "" ? 443 : Number(target.port)),
        servername: target.hostname.replaceAll(/^\[|\]$/g, ""),
        path: target.pathname + target.search,
        headers: { host: target.host, "content-type": "application/json", accept: "application/json", "content-length": Buffer.byteLength(body) },
        agent: false,
        ...(ca === undefined ? {} : { ca }),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let length = 0;
        answer.on("data", (chunk: Buffer) => {
          length += chunk.length;
          if (length > ANSWER_BYTES_MAX) fail(new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`));
          else chunks.push(chunk);
        });
        answer.on("error", fail);
        answer.on("end", () => {
          clearTimeout(deadline);
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
      },
    );
    const deadline = setTimeout(() => fail(new Error("context deadline exceeded")), timeoutMs);
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}
