// What can go wrong with images.

export type ImageErrorReason = "NoSuchFolder" | "NothingRecognised" | "BuildFailed" | "TooLarge" | "InvalidName" | "NotFound" | "Damaged" | "NewerFormat";

/** `reason` is for programs, `message` for people. */
export class ImageError extends Error {
  readonly reason: ImageErrorReason;

  constructor(reason: ImageErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ImageError";
    this.reason = reason;
  }
}
