// images: content-addressed store of OCI images on disk, builds from source folders, safe unpacking.
export { buildImage, type BuildOptions, type BuiltImage } from "./build-image.ts";
export { parseImageName, type ImageName } from "./image-name.ts";
export { ImageError, type ImageErrorReason } from "./image-error.ts";
export { resolveInRegistry } from "./registry-digest.ts";
export type { BlobSource, BlobWanted, StoredBlob } from "./blob-files.ts";
export { openImageStore, type ImageStore, type UnpackedImage } from "./image-store.ts";
export { OWN_REGISTRY } from "./own-registry.ts";
export type { ImageEntry } from "./tags.ts";
export { BASE_LABEL, type ImageConfig, type ImageManifest } from "./oci.ts";
