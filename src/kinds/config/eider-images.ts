// config-eider-images: registries that pods' images come from (docs/reference/settings.md).
import { X509Certificate } from "node:crypto";
import { parse as parseYaml } from "yaml";
import { YAML_ERROR } from "./domain.ts";
import { ConfigReader, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

export interface EiderImagesConfig {
  /** Registries that may speak plain HTTP or show any certificate. */
  readonly insecureRegistries: readonly string[];
  /** Addresses that are asked in a registry's stead, in order, before it. */
  readonly registryMirrors: Readonly<Record<string, readonly string[]>>;
  /** PEM of authorities that are believed beside those of the machine. */
  readonly registryCa: string;
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const MIRRORS_MAX = 16;

function isAddress(text: unknown): text is string {
  if (typeof text !== "string") return false;
  const address = text.includes("://") ? text : `https://${text}`;
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
}

function mirrors(reader: ConfigReader): EiderImagesConfig["registryMirrors"] {
  let given: unknown;
  try {
    given = parseYaml(reader.text("registry-mirrors", "")) ?? {};
  } catch {
    reader.fail(`registry-mirrors cannot be parsed, please check the format: ${YAML_ERROR}`);
    return {};
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    reader.fail("registry-mirrors must be a map from registries to lists of addresses");
    return {};
  }
  const found = Object.entries(given as Record<string, unknown>).map(([registry, addresses]) => {
    reader.check(HOST.test(registry), `registry-mirrors: ${JSON.stringify(registry)} is no registry`);
    const list: readonly unknown[] = Array.isArray(addresses) ? addresses : [addresses];
    reader.check(list.length <= MIRRORS_MAX, `registry-mirrors: ${registry} has more than ${MIRRORS_MAX} mirrors`);
    for (const address of list) reader.check(isAddress(address), `registry-mirrors: ${JSON.stringify(address)} is no address`);
    return [registry, list.filter(isAddress)] as const;
  });
  return Object.fromEntries(found);
}

function authorities(reader: ConfigReader): string {
  const pem = reader.text("registry-ca", "").trim();
  if (pem === "") return "";
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  reader.check(blocks.length > 0, "registry-ca holds no certificate in PEM");
  try {
    for (const block of blocks) void new X509Certificate(block);
  } catch (error) {
    reader.fail(`registry-ca cannot be read: ${(error as Error).message}`);
  }
  return blocks.join("\n");
}

/** Settings from the data of `config-eider-images`. */
export function parseEiderImagesConfig(data: ConfigData): EiderImagesConfig | ConfigError {
  const reader = new ConfigReader(data);
  const insecureRegistries = reader.words("insecure-registries", []);
  for (const registry of insecureRegistries) reader.check(HOST.test(registry), `insecure-registries: ${JSON.stringify(registry)} is no registry`);
  return resultOf(reader, { insecureRegistries, registryMirrors: mirrors(reader), registryCa: authorities(reader) });
}
