// Child of a Configuration: the Revision of its current generation (serving.md §2.3).
import { childName, Revision, serving, type Configuration } from "#kinds";
import { rfc3339 } from "#core";
import { apiVersionOf, type Draft } from "#schema";

/** The template's own name, or the Configuration's with its generation: `hello-00001`. */
export function revisionNameFor(configuration: Configuration): string {
  const named = configuration.spec.template.metadata?.name ?? "";
  if (named !== "") return named;
  return childName(configuration.metadata.name, `-${String(configuration.metadata.generation ?? 0).padStart(5, "0")}`);
}

/** The Revision to create; it starts active when a Route has already noted the Configuration. */
export function revisionFor(configuration: Configuration, nowWallMs: number): Draft<Revision> {
  const { name, namespace, uid, generation, labels = {}, annotations = {} } = configuration.metadata;
  const template = configuration.spec.template;
  const routes = annotations[serving.routes];
  const creator = annotations[serving.lastModifier];
  const service = labels[serving.service];
  const serviceUid = labels[serving.serviceUid];
  return {
    apiVersion: apiVersionOf(Revision),
    kind: Revision.kind,
    metadata: {
      name: revisionNameFor(configuration),
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...template.metadata?.labels,
        [serving.configuration]: name,
        [serving.configurationGeneration]: String(generation ?? 0),
        [serving.configurationUid]: uid,
        ...(service === undefined ? {} : { [serving.service]: service }),
        ...(serviceUid === undefined ? {} : { [serving.serviceUid]: serviceUid }),
        [serving.routingState]: routes === undefined ? "pending" : "active",
      },
      annotations: {
        ...template.metadata?.annotations,
        ...(creator === undefined ? {} : { [serving.creator]: creator }),
        ...(routes === undefined ? {} : { [serving.routes]: routes }),
        [serving.routingStateModified]: rfc3339(nowWallMs),
      },
    },
    spec: template.spec,
  };
}
