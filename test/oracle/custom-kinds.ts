// Our Knative kinds on a real server: their definitions, applied as `eider controllers` applies them.
import * as kinds from "#kinds";
import { crdFor, type Kind } from "#schema";
import type { Server } from "./server.ts";
import { TOKENS } from "./server.ts";

const TRIES_MAX = 100;

const isKind = (value: unknown): value is Kind => typeof value === "object" && value !== null && (value as { custom?: unknown }).custom === true;

/** The custom kinds that the room exports, which are those that are served. */
export const customKinds: readonly Kind[] = (Object.values(kinds) as unknown[]).filter(isKind);

async function call(server: Server, request: string, body?: unknown): Promise<{ status: number; text: string }> {
  const [method = "", target = ""] = request.split(" ");
  const headers = { authorization: `Bearer ${TOKENS["admin"]}`, accept: "application/json", "content-type": "application/json" };
  const answer = await server.ask(
    { method, target, headers, ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }) },
    new AbortController().signal,
  );
  let text = "";
  for await (const chunk of answer.chunks) text += Buffer.from(chunk).toString();
  return { status: answer.status, text };
}

/** Applies the definitions and waits until each is served. */
export async function installCustomKinds(server: Server): Promise<void> {
  for (const kind of customKinds) {
    const { status: _, ...definition } = crdFor(kind, 0);
    const { status, text } = await call(server, "POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
    if (status !== 201) throw new Error(`the definition of ${kind.plural} was answered ${status}: ${text}`);
  }
  for (const { group, version, plural } of customKinds) {
    for (let tries = 0; ; tries++) {
      const { status } = await call(server, `GET /apis/${group}/${version}/${plural}`);
      if (status === 200) break;
      if (tries === TRIES_MAX) throw new Error(`${plural} are not served`);
      await server.pause();
    }
  }
}
