// Loads what the control plane consists of and does nothing with it: a platform that is to take over does this before it takes over.
export async function preload(): Promise<void> {
  await Promise.all([
    import("#apiserver"),
    import("#controllers"),
    import("#gateway"),
    import("#images"),
    import("#routing"),
    import("#runtimes"),
    import("#schema/rules"),
    import("#store"),
    import("./controllers.ts"),
    import("./served-kinds.ts"),
  ]);
}
