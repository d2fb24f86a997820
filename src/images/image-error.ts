// What can go wrong with images.

export type ImageErrorReason =
  | "NoSuchFolder"
  | "NothingRecognised"
  | "BuildFailed"
  | "TooLarge"
  | "InvalidName"
  | "NotFound"
  | "Damaged"
  | "NewerFormat"
  /** What came has another digest or another size than was said. */
  | "WrongContent"
  /** The disk, or the budget of the data folder, is full. */
  | "NoSpace";

/** `reason` is for programs, `message` for people. */
export class ImageError extends Error {
  readonly reason: ImageErrorReason;

  constructor(reason: ImageErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ImageError";
    this.reason = reason;
  }
}

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** A full disk as an ImageError `NoSpace`; everything else as it is. */
export function spaceError(error: unknown, what: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code !== undefined && FULL.has(code)
    ? new ImageError("NoSpace", `no space is left on the disk for ${what}; make some, or remove images with: eider image prune`, error)
    : error;
}

/** Absence as data; every other failure is thrown. */
export function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
