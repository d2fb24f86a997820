// Printer columns that Knative's kinds share (serving.md §1.1).
import type { Column } from "#schema";

const text = (name: string, path: string): Column => ({ name, type: "string", path });
const integer = (name: string, path: string): Column => ({ name, type: "integer", path });

export const READY: readonly Column[] = [
  text("Ready", ".status.conditions[?(@.type=='Ready')].status"),
  text("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
];
export const URL_COLUMN = text("URL", ".status.url");
export const LATEST: readonly Column[] = [text("LatestCreated", ".status.latestCreatedRevisionName"), text("LatestReady", ".status.latestReadyRevisionName")];
export const CONFIG_NAME = text("Config Name", ".metadata.labels['serving\\.knative\\.dev/configuration']");
export const GENERATION = text("Generation", ".metadata.labels['serving\\.knative\\.dev/configurationGeneration']");
export const REPLICAS: readonly Column[] = [integer("Actual Replicas", ".status.actualReplicas"), integer("Desired Replicas", ".status.desiredReplicas")];
export const SCALE: readonly Column[] = [integer("DesiredScale", ".status.desiredScale"), integer("ActualScale", ".status.actualScale")];
export const SERVERLESS_SERVICE: readonly Column[] = [
  text("Mode", ".spec.mode"),
  integer("Activators", ".spec.numActivators"),
  text("ServiceName", ".status.serviceName"),
  text("PrivateServiceName", ".status.privateServiceName"),
];
export const CERTIFICATE_READY: readonly Column[] = [
  text("Ready", '.status.conditions[?(@.type=="Ready")].status'),
  text("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
];
