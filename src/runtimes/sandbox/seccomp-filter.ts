// The filter of the profile RuntimeDefault: which system calls a container's program may make, as classic BPF. Pure.
//
// All that is in the table of system calls but what is refused; what is newer is not there (ENOSYS), so that a kernel's next door is not open
// because nobody knew of it.
import {
  AUDIT_ARCH,
  CLONE,
  CLONE3,
  CLONE_NEW_NAMESPACES,
  FAMILIES_REFUSED,
  NEWEST,
  PERSONALITIES_ALLOWED,
  PERSONALITY,
  REFUSED,
  SOCKET,
  type FilteredArchitecture,
  type SystemCall,
} from "./system-calls.ts";

/** Classic BPF, as far as it is needed. */
const OPERATION = { load: 0x20, equal: 0x15, above: 0x25, atLeast: 0x35, anyBit: 0x45, answer: 0x06 } as const;
/** Within `struct seccomp_data`; of an argument the lower half. */
const FIELD = { number: 0, architecture: 4, firstArgument: 16 } as const;
const ANSWER = { allow: 0x7fff_0000, notPermitted: 0x0005_0001, notThere: 0x0005_0026 } as const;
type Answer = keyof typeof ANSWER;
/** Numbers of another form of calls on amd64 (x32), which passes by the table. */
const X32 = 0x4000_0000;
const JUMP_MAX = 255;

type Step =
  | { readonly do: "load"; readonly field: number }
  /** Goes to the answer, or on; with `skip`, past so many steps. */
  | {
      readonly do: "equal" | "above" | "atLeast" | "anyBit";
      readonly value: number;
      readonly yes: Answer | { readonly skip: number };
      readonly no?: Answer | { readonly skip: number };
    }
  | { readonly do: "answer"; readonly answer: Answer };

/** An argument's look is a block of its own behind the number; whoever is not meant passes it by. */
function looking(number: number, looks: readonly Step[]): readonly Step[] {
  const block: readonly Step[] = [{ do: "load", field: FIELD.firstArgument }, ...looks];
  return [{ do: "equal", value: number, yes: { skip: 0 }, no: { skip: block.length } }, ...block];
}

/** Steps for a program with these capabilities (`all`: every one), first to last. */
function stepsFor(architecture: FilteredArchitecture, capabilities: readonly string[]): readonly Step[] {
  const numberOf = ({ numbers }: SystemCall): number | undefined => numbers[architecture === "amd64" ? 0 : 1];
  const isOpen = ({ openedBy }: SystemCall): boolean => openedBy.some((name) => capabilities.includes(name) || capabilities.includes("all"));
  const closed = (call: SystemCall, steps: (number: number) => readonly Step[]): readonly Step[] => {
    const number = numberOf(call);
    return number === undefined || isOpen(call) ? [] : steps(number);
  };
  const answered = (number: number, yes: Answer): Step => ({ do: "equal", value: number, yes });
  return [
    { do: "load", field: FIELD.architecture },
    { do: "equal", value: AUDIT_ARCH[architecture], yes: { skip: 0 }, no: "notThere" },
    { do: "load", field: FIELD.number },
    ...(architecture === "amd64" ? [{ do: "atLeast", value: X32, yes: "notThere" } as const] : []),
    { do: "above", value: NEWEST, yes: "notThere" },
    ...Object.values(REFUSED).flatMap((call) => closed(call, (number) => [answered(number, "notPermitted")])),
    ...closed(CLONE3, (number) => [answered(number, "notThere")]),
    ...closed(CLONE, (number) => looking(number, [{ do: "anyBit", value: CLONE_NEW_NAMESPACES, yes: "notPermitted", no: "allow" }])),
    ...closed(SOCKET, (number) =>
      looking(number, [...Object.values(FAMILIES_REFUSED).map((family) => answered(family, "notPermitted")), { do: "answer", answer: "allow" }]),
    ),
    ...closed(PERSONALITY, (number) =>
      looking(number, [...PERSONALITIES_ALLOWED.map((value) => answered(value, "allow")), { do: "answer", answer: "notPermitted" }]),
    ),
    { do: "answer", answer: "allow" },
  ];
}

const ANSWERS = Object.keys(ANSWER) as Answer[];

/** As the kernel reads it, eight bytes an instruction. */
export function defaultFilter(architecture: FilteredArchitecture, capabilities: readonly string[]): Buffer {
  const steps = stepsFor(architecture, capabilities);
  const bytes = Buffer.alloc(8 * (steps.length + ANSWERS.length));
  const write = (
    index: number,
    { code, yes = 0, no = 0, value }: { readonly code: number; readonly yes?: number; readonly no?: number; readonly value: number },
  ): void => {
    if (yes > JUMP_MAX || no > JUMP_MAX) throw new RangeError("a jump of the filter is too long");
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  };
  for (const [index, step] of steps.entries()) {
    const jump = (to: Answer | { readonly skip: number } | undefined): number =>
      to === undefined ? 0 : typeof to === "string" ? steps.length + ANSWERS.indexOf(to) - index - 1 : to.skip;
    if (step.do === "load") write(index, { code: OPERATION.load, value: step.field });
    else if (step.do === "answer") write(index, { code: OPERATION.answer, value: ANSWER[step.answer] });
    else write(index, { code: OPERATION[step.do], yes: jump(step.yes), no: jump(step.no), value: step.value });
  }
  for (const [index, name] of ANSWERS.entries()) write(steps.length + index, { code: OPERATION.answer, value: ANSWER[name] });
  return bytes;
}
