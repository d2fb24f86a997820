// A program of a few instructions as an ELF file: loaded as a whole, to be read and run. Pure.

/** Processors as ELF numbers them. */
export const MACHINES: Readonly<Record<string, number>> = { amd64: 62, arm64: 183 };

export const LOADED_AT = 0x400000n;
const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
/** Where the code begins, in the file and behind LOADED_AT. */
export const CODE_AT = FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES;

/** An ELF file without a section; it begins with the first instruction. */
export function elfProgram(machine: number, code: Uint8Array): Buffer {
  const file = Buffer.alloc(CODE_AT + code.length);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(LOADED_AT + BigInt(CODE_AT), 24);
  file.writeBigUInt64LE(BigInt(FILE_HEADER_BYTES), 32);
  file.writeUInt16LE(FILE_HEADER_BYTES, 52);
  file.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeBigUInt64LE(LOADED_AT, 80);
  file.writeBigUInt64LE(LOADED_AT, 88);
  file.writeBigUInt64LE(BigInt(file.length), 96);
  file.writeBigUInt64LE(BigInt(file.length), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  file.set(code, CODE_AT);
  return file;
}
