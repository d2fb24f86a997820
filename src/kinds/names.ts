// Kubernetes' rules for names, with its messages.

const DNS1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const DNS1123_SUBDOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

const DNS1035_MESSAGE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character " +
  `(e.g. 'my-name',  or 'abc-123', regex used for validation is '${DNS1035}')`;
const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character " +
  `(e.g. 'example.com', regex used for validation is '${DNS1123_SUBDOMAIN}')`;
const QUALIFIED_MESSAGE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
  `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`;

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`);
const tooLong = (max: number): string => `must be no more than ${max} characters`;

/** What is wrong with a DNS-1035 label; empty when nothing is. */
export function dns1035Complaints(name: string): string[] {
  return [...(name.length > 63 ? [tooLong(63)] : []), ...(whole(DNS1035).test(name) ? [] : [DNS1035_MESSAGE])];
}

/** As above for a prefix of a generated name: it may end in a dash. */
export function dns1035PrefixComplaints(prefix: string): string[] {
  return dns1035Complaints(prefix.endsWith("-") ? `${prefix.slice(0, -1)}a` : prefix);
}

export function subdomainComplaints(name: string): string[] {
  return [...(name.length > 253 ? [tooLong(253)] : []), ...(whole(DNS1123_SUBDOMAIN).test(name) ? [] : [SUBDOMAIN_MESSAGE])];
}

/** A label key or any other qualified name, with or without a prefix. */
export function qualifiedNameComplaints(text: string): string[] {
  const parts = text.split("/");
  const complaints: string[] = [];
  const [prefix, name] = parts.length === 2 ? [parts[0], parts[1] ?? ""] : [undefined, parts[0] ?? ""];
  if (parts.length > 2) {
    return [`a qualified name ${QUALIFIED_MESSAGE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (prefix === "") complaints.push("prefix part must be non-empty");
  else if (prefix !== undefined) complaints.push(...subdomainComplaints(prefix).map((complaint) => `prefix part ${complaint}`));
  if (name === "") complaints.push("name part must be non-empty");
  else if (name.length > 63) complaints.push(`name part ${tooLong(63)}`);
  if (!whole(QUALIFIED).test(name)) complaints.push(`name part ${QUALIFIED_MESSAGE}`);
  return complaints;
}

/** Whether go-containerregistry would take the text as a tag or a digest of a repository. */
export function isImageReference(text: string): boolean {
  const at = text.split("@");
  if (at.length > 2) return false;
  if (at.length === 2) return /^sha256:[0-9a-f]{64}$/.test(at[1] ?? "") && isTagged(at[0] ?? "");
  return isTagged(text);
}

function isTagged(text: string): boolean {
  const colon = text.lastIndexOf(":");
  const hasTag = colon >= 0 && !text.slice(colon).includes("/");
  const base = hasTag ? text.slice(0, colon) : text;
  const tag = text.slice(colon + 1);
  if (hasTag && tag !== "" && !/^[A-Za-z0-9_.-]{1,128}$/.test(tag)) return false;
  const slash = base.indexOf("/");
  const first = base.slice(0, Math.max(slash, 0));
  const hasRegistry = slash > 0 && (/[.:]/.test(first) || first === "localhost");
  if (hasRegistry && !/^[A-Za-z0-9.-]+(?::\d+)?$|^\[[0-9a-fA-F:]+\](?::\d+)?$/.test(first)) return false;
  return /^[a-z0-9_./-]{2,255}$/.test(hasRegistry ? base.slice(slash + 1) : base);
}
