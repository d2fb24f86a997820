// Lease of coordination.k8s.io/v1: who leads.
import { fieldError, type FieldError, type Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { age } from "../core/columns.ts";
import { definitions } from "./definitions.ts";
import type { Lease as LeaseObject } from "./v1.types.ts";

export type Lease = LeaseObject;

function leaseErrors(lease: Lease): FieldError[] {
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = lease.spec ?? {};
  const wrong: FieldError[] = [];
  if (duration !== undefined && duration <= 0) wrong.push(fieldError.invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"));
  if (transitions !== undefined && transitions < 0) wrong.push(fieldError.invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"));
  return wrong;
}

export const Lease: Kind<Lease> = builtin<Lease>({
  group: "coordination.k8s.io",
  kind: "Lease",
  plural: "leases",
  definitions,
  metadataChecks: { update: true, object: false, finalizers: false },
  definition: "io.k8s.api.coordination.v1.Lease",
  createsOnUpdate: true,
  updatesNeedVersion: true,
  blank: { spec: {} },
  columns: [{ name: "Holder", type: "string", cell: (object) => (object as Lease).spec?.holderIdentity ?? "" }, age],
  prepareNew(lease) {
    const { strategy, preferredHolder, ...spec } = lease.spec ?? {};
    // A coordinator that chooses who leads is not there, so nobody can ask for its help.
    return strategy === undefined && preferredHolder === undefined ? lease : { ...lease, spec };
  },
  validate: leaseErrors,
});
