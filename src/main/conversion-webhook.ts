// Webhooks that convert: where they are, and the way there.
import type { Client } from "#client";
import { uuid, type Rng } from "#core";
import type { httpsPost } from "#host/https";
import { Endpoints, webhookConversion, type ConvertCustom, type CustomResourceDefinition, type PostToWebhook } from "#kinds";

const SERVICE_PORT = 443;

export interface ConversionOptions {
  readonly client: () => Client;
  readonly rng: Rng;
  readonly post: typeof httpsPost;
}

/** The first ready address behind a Service: pods are reached without the Service's own address. */
async function addressOf(client: Client, service: { readonly namespace: string; readonly name: string }): Promise<{ host: string; port: number }> {
  const found = await client.find(Endpoints, service.namespace, service.name);
  for (const { addresses = [], ports = [] } of found?.subsets ?? []) {
    const [address] = addresses;
    const [port] = ports;
    if (address !== undefined && port !== undefined) return { host: address.ip, port: port.port };
  }
  throw new Error(`service ${JSON.stringify(service.name)} not found, or no endpoints available for it`);
}

export function conversionWebhooks({ client, rng, post }: ConversionOptions): (definition: CustomResourceDefinition) => ConvertCustom {
  const send: PostToWebhook = async ({ config, body, timeoutMs }) => {
    const { url, service, caBundle } = config;
    const ca = caBundle === undefined ? {} : { ca: Buffer.from(caBundle, "base64").toString() };
    const query = `timeout=${timeoutMs / 1000}s`;
    if (service === undefined) return post({ url: `${url ?? ""}?${query}`, ...ca, body, timeoutMs });
    const { name, namespace, path = "/", port = SERVICE_PORT } = service;
    const target = `https://${name}.${namespace}.svc:${port}${path}?${query}`;
    return post({ url: target, at: await addressOf(client(), service), ...ca, body, timeoutMs });
  };
  return (definition) => webhookConversion(definition, { post: send, uuid: () => uuid(rng) });
}
