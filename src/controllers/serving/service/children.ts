// Children of a Service: its Configuration and its Route, both with its own name (serving.md §2.2).
import { ALTERNATIVE_SPELLINGS, annotationOf, Configuration, Route, serving, type Service } from "#kinds";
import { apiVersionOf, type Draft } from "#schema";
import { joinNames, LAST_APPLIED, namesIn, without } from "../annotations.ts";

const ROLLOUT_DURATION = [serving.rolloutDuration, ...(ALTERNATIVE_SPELLINGS[serving.rolloutDuration] ?? [])];

/** The Configuration that `service` wants; routes that others have noted on an existing one stay. */
export function configurationFor(service: Service, existing: Configuration | undefined): Draft<Configuration> {
  const { name, uid, labels, annotations } = service.metadata;
  const routes = joinNames([...namesIn(annotationOf(existing?.metadata.annotations, serving.routes)), name]);
  return {
    apiVersion: apiVersionOf(Configuration),
    kind: Configuration.kind,
    metadata: {
      name,
      ...(service.metadata.namespace === undefined ? {} : { namespace: service.metadata.namespace }),
      labels: { ...labels, [serving.service]: name, [serving.serviceUid]: uid },
      annotations: { ...without(annotations, (key) => key === LAST_APPLIED || ROLLOUT_DURATION.includes(key)), [serving.routes]: routes },
    },
    spec: { template: service.spec.template },
  };
}

/** The Route that `service` wants: targets without a revision follow the Service's Configuration. */
export function routeFor(service: Service): Draft<Route> {
  const { name, labels, annotations } = service.metadata;
  const traffic = (service.spec.traffic ?? []).map((target) => ((target.revisionName ?? "") === "" ? { ...target, configurationName: name } : target));
  return {
    apiVersion: apiVersionOf(Route),
    kind: Route.kind,
    metadata: {
      name,
      ...(service.metadata.namespace === undefined ? {} : { namespace: service.metadata.namespace }),
      labels: { ...labels, [serving.service]: name },
      annotations: without(annotations, (key) => key === LAST_APPLIED),
    },
    spec: { traffic },
  };
}
