// What claims of storage, volumes and their classes are for, in our own words.

const CORE = "io.k8s.api.core.v1";
const STORAGE = "io.k8s.api.storage.v1";

export const storageDescriptions = {
  [`${CORE}.PersistentVolumeClaim`]: {
    "": "Asks for storage that outlives pods; pods use it by its name.",
    spec: "What is asked for.",
    status: "What there is.",
  },
  [`${CORE}.PersistentVolumeClaimSpec`]: {
    "": "What kind of storage, and how much of it.",
    accessModes: "`ReadWriteOnce`, `ReadOnlyMany`, `ReadWriteMany` or `ReadWriteOncePod`: who may use it at the same time.",
    selector: "Labels that a volume that is already there must have.",
    resources: "How much; here a number that volumes are chosen by, and not a limit.",
    volumeName: "The volume that it is bound to.",
    storageClassName: 'The class that makes a volume for it; `""` takes only those that are already there.',
    volumeMode: "`Filesystem` (default) or `Block`, which nothing here can make.",
    dataSource: "What a new volume begins with; nothing here copies it.",
    dataSourceRef: "What a new volume begins with; nothing here copies it.",
    volumeAttributesClassName: "Stored, and not acted upon.",
  },
  [`${CORE}.PersistentVolumeClaimStatus`]: {
    "": "What a claim has.",
    phase: "`Pending`, `Bound` or `Lost`.",
    accessModes: "Who may use the volume at the same time.",
    capacity: "How large the volume says it is.",
    conditions: "What happens to it.",
    allocatedResources: "What a growing volume will have.",
    allocatedResourceStatuses: "How far its growth is.",
    currentVolumeAttributesClassName: "The class of attributes that is in force.",
    modifyVolumeStatus: "How far a change of attributes is.",
  },
  [`${CORE}.PersistentVolume`]: {
    "": "A piece of storage that exists.",
    spec: "Where it is, and for whom.",
    status: "Whether a claim has it.",
  },
  [`${CORE}.PersistentVolumeSpec`]: {
    "": "Where a volume is, and for whom.",
    capacity: "`storage`: how large it says it is.",
    accessModes: "Who may use it at the same time.",
    claimRef: "The claim that it is bound to, or kept for.",
    persistentVolumeReclaimPolicy: "`Retain` (default) keeps it when its claim goes, `Delete` deletes it with its files.",
    storageClassName: "The class of the claims that may have it.",
    mountOptions: "Stored, and not acted upon.",
    volumeMode: "`Filesystem` (default) or `Block`.",
    nodeAffinity: "The nodes that reach it.",
    volumeAttributesClassName: "Stored, and not acted upon.",
    hostPath: "A file or folder of the machine.",
    local: "A folder of the machine that is there already.",
    ...Object.fromEntries(
      [
        ...["awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker", "gcePersistentDisk"],
        ...["glusterfs", "iscsi", "nfs", "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"],
      ].map((source) => [source, "Stored; pods here cannot mount it."]),
    ),
  },
  [`${CORE}.PersistentVolumeStatus`]: {
    "": "Whether a claim has the volume.",
    phase: "`Pending`, `Available`, `Bound`, `Released` or `Failed`.",
    message: "Why, as a sentence for people.",
    reason: "Why, as a word for programs.",
    lastPhaseTransitionTime: "When it came into this phase.",
  },
  [`${CORE}.HostPathVolumeSource`]: { "": "A file or folder of the machine.", path: "Where it is.", type: "What must be there, or is made." },
  [`${CORE}.LocalVolumeSource`]: { "": "A folder of the machine that is there already.", path: "Where it is.", fsType: "Stored, and not acted upon." },
  [`${STORAGE}.StorageClass`]: {
    "": "How volumes are made for claims that find none.",
    provisioner: "Who makes them; `eider.dev/local-path` is this platform.",
    parameters: "What its provisioner wants to know.",
    reclaimPolicy: "What becomes of its volumes when their claims go: `Delete` (default) or `Retain`.",
    mountOptions: "Stored, and not acted upon.",
    allowVolumeExpansion: "Lets bound claims ask for more.",
    volumeBindingMode: "`Immediate` (default), or `WaitForFirstConsumer`: when a pod wants it.",
    allowedTopologies: "Stored, and not acted upon: there is one node.",
  },
};
