// A program that puts a filter of system calls on itself and becomes another: no util-linux before 2.40 can. Some 90 bytes, made from the numbers
// below, with the filter behind them.
//
//   seccomp-<hash> PROGRAM ARGUMENT…
import { CODE_AT, elfProgram, LOADED_AT, MACHINES } from "../elf-program.ts";
import type { FilteredArchitecture } from "./system-calls.ts";

/** 44 bytes, as the code says. */
const COMPLAINT = Buffer.from("the filter of system calls was not loaded.\n\n");

/** The code is a multiple of eight bytes; behind it lie `struct sock_fprog`, the complaint and the filter. */
const CODE: Readonly<Record<FilteredArchitecture, string>> = {
  // mov eax,317 (seccomp) · mov edi,1 (SET_MODE_FILTER) · xor esi,esi · lea rdx,[rip+prog] · syscall · test eax,eax · jnz fail
  // mov rcx,[rsp] (argc) · mov rdi,[rsp+16] (argv[1]) · lea rsi,[rsp+16] · lea rdx,[rsp+rcx*8+16] (the environment) · mov eax,59 (execve) · syscall
  // fail: mov eax,1 (write) · mov edi,2 · lea rsi,[rip+prog+16] · mov edx,44 · syscall · mov eax,231 (exit_group) · mov edi,126 · syscall · nop
  amd64:
    "b83d010000 bf01000000 31f6 488d1545000000 0f05 85c0 751a 488b0c24 488b7c2410 488d742410 488d54cc10 b83b000000 0f05 " +
    "b801000000 bf02000000 488d3524000000 ba2c000000 0f05 b8e7000000 bf7e000000 0f05 90",
  // mov x8,277 · mov x0,1 · mov x1,0 · adr x2,prog · svc · cbnz w0,fail · ldr x3,[sp] · ldr x0,[sp,16] · add x1,sp,16 · add x2,x1,x3,lsl 3 · mov x8,221 · svc
  // fail: mov x8,64 · mov x0,2 · adr x1,prog+16 · mov x2,44 · svc · mov x8,94 · mov x0,126 · svc
  arm64:
    "a82280d2 200080d2 010080d2 22020010 010000d4 e0000035 e30340f9 e00b40f9 e1430091 220c038b a81b80d2 010000d4 " +
    "080880d2 400080d2 41010010 820580d2 010000d4 c80b80d2 c00f80d2 010000d4",
};

const PROG_BYTES = 16;
const INSTRUCTION_BYTES = 8;

/** `filter` is what the kernel reads: eight bytes an instruction. */
export function filterLoader(architecture: FilteredArchitecture, filter: Uint8Array): Buffer {
  const code = Buffer.from(CODE[architecture].replaceAll(" ", ""), "hex");
  const prog = Buffer.alloc(PROG_BYTES);
  // The kernel reads the filter at its address: behind the complaint, filled up to eight bytes.
  const padded = Buffer.concat([COMPLAINT, Buffer.alloc(-COMPLAINT.length & (INSTRUCTION_BYTES - 1))]);
  prog.writeUInt16LE(filter.length / INSTRUCTION_BYTES, 0);
  prog.writeBigUInt64LE(LOADED_AT + BigInt(CODE_AT + code.length + PROG_BYTES + padded.length), 8);
  return elfProgram(MACHINES[architecture] ?? 0, Buffer.concat([code, prog, padded, filter]));
}
