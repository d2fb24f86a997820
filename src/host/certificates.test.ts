import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { presentCertificate, servingCertificate } from "./certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "eider-pki-"));
after(() => rmSync(folder, { recursive: true }));
const now = Date.UTC(2026, 5, 1);

test("the authority is stable, the server certificate follows names and time", async () => {
  assert.equal(presentCertificate(folder, ["localhost"], now), undefined);
  const first = await servingCertificate(folder, ["localhost", "127.0.0.1", "::1"], now);
  const certificate = new X509Certificate(first.certPem);
  assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal(certificate.checkIP("::1"), "::1");
  assert.equal(certificate.checkHost("localhost"), "localhost");
  assert.ok(certificate.verify(new X509Certificate(first.caPem).publicKey));
  assert.equal(statSync(join(folder, "ca.key")).mode & 0o777, 0o600);
  assert.deepEqual(await servingCertificate(folder, ["localhost"], now), first);
  assert.deepEqual(presentCertificate(folder, ["localhost"], now), first);
  assert.equal(presentCertificate(folder, ["box.example"], now), undefined);
  assert.equal(presentCertificate(folder, ["localhost"], now + 320 * 86_400_000), undefined);
  const named = await servingCertificate(folder, ["localhost", "box.example"], now);
  assert.equal(named.caPem, first.caPem);
  assert.notEqual(named.certPem, first.certPem);
  const later = await servingCertificate(folder, ["localhost"], now + 320 * 86_400_000);
  assert.equal(later.caPem, first.caPem);
  assert.notEqual(later.certPem, named.certPem);
});
