// images: content-addressed store of OCI images on disk, builds from source folders, safe unpacking.
export { buildImage, type BuildOptions, type BuiltImage } from "./build-image.ts";
export { parseImageName, type ImageName } from "./image-name.ts";
export { ImageError, type ImageErrorReason } from "./image-error.ts";
export { digestFrom, type DaemonImages, type DigestSources, type RegistryAnswer } from "./pull/digest-sources.ts";
export type { PullSecret } from "./pull/docker-config.ts";
export type { RegistrySettings } from "./pull/endpoints.ts";
export { createImagePuller, type ImageOutcome, type ImagePuller, type ImageWanted, type PullEvent, type PullPolicy } from "./pull/image-puller.ts";
export type { Keychain, PullProgress, RegistryClient } from "./pull/pull-image.ts";
export { Transport } from "./pull/transport.ts";
export { secretsKeychain, userKeychain } from "./pull/user-keychain.ts";
export { platformOf } from "./platform-choice.ts";
export type { BlobSource, BlobWanted, StoredBlob } from "./blob-files.ts";
export { openImageStore, type ImageStore, type UnpackedImage } from "./image-store.ts";
export { serveRegistry, type ServedRegistry } from "./registry/serve.ts";
export { LayerFolders, type LayeredImage } from "./layer-folders.ts";
export { OWN_REGISTRY } from "./own-registry.ts";
export type { ImageEntry } from "./tags.ts";
export { BASE_LABEL, type ImageConfig, type ImageManifest } from "./oci.ts";
