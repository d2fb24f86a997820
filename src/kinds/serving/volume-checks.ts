// Checks of volumes (serving.md §1.6).
import type { FeaturesConfig } from "../config/features.ts";
import {
  disallowedFields,
  eachOf,
  fieldError,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  noErrors,
  type FieldErrors,
} from "../knative-field-error.ts";
import type { KeyToPath, ProjectedSource, Volume } from "./container-schema.ts";

/** Volume sources behind a feature, with how messages call them. */
const GATED = {
  emptyDir: ["podSpecEmptyDir", "EmptyDir"],
  persistentVolumeClaim: ["podSpecPersistentVolumeClaim", ""],
  hostPath: ["podSpecHostPath", "HostPath"],
  csi: ["podSpecCsi", "CSI"],
  ephemeral: ["podSpecEphemeral", "Ephemeral"],
  image: ["podSpecImage", "Image"],
} as const;
type GatedSource = keyof typeof GATED;
const ALWAYS = ["secret", "configMap", "projected"] as const;

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function checkGated(volume: Volume, source: GatedSource, features: FeaturesConfig): FieldErrors {
  const content = volume[source];
  if (content === undefined) return noErrors;
  const [feature, word] = GATED[source];
  const off = features[feature] === "Disabled";
  if (source !== "persistentVolumeClaim") {
    return off ? fieldError(`${word} volume support is disabled, but found ${word} volume ${volume.name}`, []).also(disallowedFields(source)) : noErrors;
  }
  const claim = textOf(content["claimName"]);
  let errors = off
    ? fieldError(`Persistent volume claim support is disabled, but found persistent volume claim ${claim}`, []).also(disallowedFields(source))
    : noErrors;
  if (features.podSpecPersistentVolumeWrite === "Disabled" && content["readOnly"] !== true) {
    errors = errors.also(fieldError(`Persistent volume write support is disabled, but found persistent volume claim ${claim} that is not read-only`, []));
  }
  return errors;
}

function checkEmptyDir(content: Readonly<Record<string, unknown>>): FieldErrors {
  const medium = textOf(content["medium"]);
  const size = textOf(content["sizeLimit"]);
  const wrongMedium = medium === "" || medium === "Memory" ? noErrors : invalidValue(medium, "medium");
  return (size.startsWith("-") ? invalidValue(size, "sizeLimit") : noErrors).also(wrongMedium).viaField("emptyDir");
}

function checkItem(item: KeyToPath): FieldErrors {
  return noErrors.also(item.key === "" ? missingField("key") : noErrors, item.path === "" ? missingField("path") : noErrors);
}

const PROJECTED = ["configMap", "downwardAPI", "secret", "serviceAccountToken"] as const;

function checkNamed(source: { readonly name?: string; readonly items?: readonly KeyToPath[] }): FieldErrors {
  const unnamed = (source.name ?? "") === "" ? missingField("name") : noErrors;
  return unnamed.also(eachOf(source.items, checkItem).viaField("items"));
}

function checkDownward(source: NonNullable<ProjectedSource["downwardAPI"]>): FieldErrors {
  return eachOf(source.items, (item) => {
    const both = item.fieldRef !== undefined && item.resourceFieldRef !== undefined;
    const conflict = both ? fieldError("Within a single item, cannot set both", ["fieldRef", "resourceFieldRef"]) : noErrors;
    return (item.path === "" ? missingField("path") : noErrors).also(conflict);
  }).viaField("items");
}

function checkProjected(source: ProjectedSource): FieldErrors {
  const given = PROJECTED.filter((name) => source[name] !== undefined);
  if (given.length === 0) return missingOneOf(...PROJECTED);
  if (given.length > 1) return multipleOneOf(...given);
  if (source.secret !== undefined) return checkNamed(source.secret).viaField("secret");
  if (source.configMap !== undefined) return checkNamed(source.configMap).viaField("configMap");
  if (source.downwardAPI !== undefined) return checkDownward(source.downwardAPI).viaField("downwardAPI");
  return (source.serviceAccountToken?.path ?? "") === "" ? missingField("serviceAccountToken.path") : noErrors;
}

function checkSources(volume: Volume, features: FeaturesConfig): FieldErrors {
  const gated = (Object.keys(GATED) as GatedSource[]).filter((source) => features[GATED[source][0]] !== "Disabled");
  const given = [...ALWAYS, ...(Object.keys(GATED) as GatedSource[])].filter((source) => volume[source] !== undefined);
  if (given.length === 0) return missingOneOf(...ALWAYS, ...gated);
  return given.length > 1 ? multipleOneOf(...given) : noErrors;
}

function checkVolume(volume: Volume, features: FeaturesConfig): FieldErrors {
  let errors = volume.name === "" ? missingField("name") : noErrors;
  for (const source of Object.keys(GATED) as GatedSource[]) errors = errors.also(checkGated(volume, source, features));
  errors = errors.also(checkSources(volume, features));
  if (volume.emptyDir !== undefined) errors = errors.also(checkEmptyDir(volume.emptyDir));
  for (const source of ["secret", "configMap"] as const) errors = errors.also(eachOf(volume[source]?.items, checkItem).viaField("items").viaField(source));
  return errors.also(eachOf(volume.projected?.sources, checkProjected).viaField("projected"));
}

/** Errors at the list; `mounted` holds the names of the volumes that a container mounts. */
export function checkVolumes(volumes: readonly Volume[] | undefined, mounted: ReadonlySet<string>, features: FeaturesConfig): FieldErrors {
  const seen = new Set<string>();
  return eachOf(volumes, (volume) => {
    let errors = checkVolume(volume, features);
    if (seen.has(volume.name)) errors = errors.also(fieldError(`duplicate volume name ${JSON.stringify(volume.name)}`, "name"));
    seen.add(volume.name);
    return mounted.has(volume.name) ? errors : errors.also(fieldError(`volume with name ${JSON.stringify(volume.name)} not mounted`, "name"));
  });
}
