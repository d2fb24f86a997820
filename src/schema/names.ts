// The forms of names, labels and keys; each check answers with Kubernetes' complaints, none when the text is fine.

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY = "[-._a-zA-Z0-9]+";

export interface Form {
  readonly pattern: string;
  readonly says: string;
  readonly examples: readonly string[];
  readonly maxLength: number;
}

function complaintOf(form: Pick<Form, "pattern" | "says" | "examples">): string {
  const examples = form.examples
    .map((example) => `'${example}'`)
    .join(" or ")
    .replaceAll("' or '", "',  or '");
  return `${form.says} (${form.examples.length === 0 ? "" : `e.g. ${examples}, `}regex used for validation is '${form.pattern}')`;
}

const tooLong = (max: number): string => `must be no more than ${max} characters`;

function check(form: Form, text: string): string[] {
  const wrong: string[] = [];
  if (Buffer.byteLength(text) > form.maxLength) wrong.push(tooLong(form.maxLength));
  if (!new RegExp(`^(?:${form.pattern})$`).test(text)) wrong.push(complaintOf(form));
  return wrong;
}

const label: Form = {
  pattern: LABEL,
  says: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: ["my-name", "123-abc"],
  maxLength: 63,
};
const subdomain: Form = {
  pattern: SUBDOMAIN,
  says: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: ["example.com"],
  maxLength: 253,
};
const label1035: Form = {
  pattern: LABEL_1035,
  says: "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ["my-name", "abc-123"],
  maxLength: 63,
};
const qualified: Form = {
  pattern: QUALIFIED,
  says: "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ["MyName", "my.name", "123-abc"],
  maxLength: 63,
};
const labelValue: Form = {
  pattern: `(${QUALIFIED})?`,
  says: "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ["MyValue", "my_value", "12345"],
  maxLength: 63,
};
const configKey: Form = {
  pattern: KEY,
  says: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ["key.name", "KEY_NAME", "key-name"],
  maxLength: 253,
};

/** A subdomain of several labels is told so, where one is wanted. */
function dnsLabel(text: string): string[] {
  const wrong = check(label, text);
  const dotted = wrong.includes(complaintOf(label)) && new RegExp(`^(?:${SUBDOMAIN})$`).test(text);
  return dotted ? wrong.map((complaint) => (complaint === complaintOf(label) ? "must not contain dots" : complaint)) : wrong;
}

/** What is wrong with `prefix/name` or `name` as a key of labels, annotations or finalizers. */
function qualifiedName(text: string): string[] {
  const parts = text.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.length > 2) {
    const prefixed = complaintOf(qualified);
    return [`a qualified name ${prefixed} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const wrong: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") wrong.push("prefix part must be non-empty");
    else wrong.push(...check(subdomain, prefix).map((complaint) => `prefix part ${complaint}`));
  }
  if (name === "") wrong.push("name part must be non-empty");
  else if (name.length > 63) wrong.push(`name part ${tooLong(63)}`);
  if (!new RegExp(`^(?:${QUALIFIED})$`).test(name)) wrong.push(`name part ${complaintOf(qualified)}`);
  return wrong;
}

/** What is wrong with the name of a port: at most 15 lower-case characters with a letter among them. */
function portName(text: string): string[] {
  const wrong: string[] = [];
  if (text.length > 15) wrong.push("must be no more than 15 characters");
  if (!/^[-a-z0-9]+$/.test(text)) wrong.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(text)) wrong.push("must contain at least one letter (a-z)");
  if (text.includes("--")) wrong.push("must not contain consecutive hyphens");
  if (text.startsWith("-") || text.endsWith("-")) wrong.push("must not begin or end with a hyphen");
  return wrong;
}

/** What cannot be a part of a path. */
function pathSegment(text: string): string[] {
  if (text === "." || text === "..") return [`may not be '${text}'`];
  return ["/", "%"].filter((char) => text.includes(char)).map((char) => `may not contain '${char}'`);
}

/** Every check takes a text and returns complaints in Kubernetes' words. */
export const names = {
  dnsLabel,
  dnsSubdomain: (text: string): string[] => check(subdomain, text),
  dns1035Label: (text: string): string[] => check(label1035, text),
  labelValue: (text: string): string[] => check(labelValue, text),
  configKey: (text: string): string[] => (text === "." || text === ".." ? [`must not be '${text}'`] : check(configKey, text)),
  pathSegment,
  qualifiedName,
  portName,
} as const;
