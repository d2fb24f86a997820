// A subscriber for tests, in the test's own process: writes down what it gets, and answers as it is told.
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "node:http";

export interface Receipt {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type AnswerTo = (receipt: Receipt) => { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

export class EventReceiver {
  readonly receipts: Receipt[] = [];
  readonly #server: Server;

  /** `answer` gives the status, and perhaps more, for a path. */
  private constructor(answer: AnswerTo) {
    this.#server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const receipt = { path: incoming.url ?? "", headers: incoming.headers, body: Buffer.concat(chunks).toString() };
        this.receipts.push(receipt);
        const { status, headers = {}, body = "" } = answer(receipt);
        // 0: it never answers.
        if (status !== 0) response.writeHead(status, headers).end(body);
      });
    });
  }

  static async start(answer: AnswerTo): Promise<EventReceiver> {
    const receiver = new EventReceiver(answer);
    await new Promise<void>((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  at(path: string): readonly Receipt[] {
    return this.receipts.filter((receipt) => receipt.path === path);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The status of a POST; 0 when nobody answered. */
export function post(url: string, { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string }): Promise<number> {
  return new Promise((resolve) => {
    const call = request(url, { method: "POST", headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
      response.on("error", () => resolve(0));
    });
    call.on("error", () => resolve(0));
    call.end(body);
  });
}
