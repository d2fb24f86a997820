// System calls that a filter has to tell apart, by their numbers on amd64 and arm64 (Linux' unistd.h), and what opens them.

export type FilteredArchitecture = "amd64" | "arm64";

/** `arch` of `struct seccomp_data`. */
export const AUDIT_ARCH: Readonly<Record<FilteredArchitecture, number>> = { amd64: 0xc000003e, arm64: 0xc00000b7 };

/** What is newer than this list (mseal, of Linux 6.10) is not there for who is filtered. */
export const NEWEST = 462;

/** `undefined` on a processor that never had it. */
export interface SystemCall {
  readonly numbers: readonly [amd64: number | undefined, arm64: number | undefined];
  /** One of these capabilities opens it; none: nothing does. */
  readonly openedBy: readonly string[];
}

const call = (amd64: number | undefined, arm64: number | undefined, ...openedBy: string[]): SystemCall => ({ numbers: [amd64, arm64], openedBy });

/** Refused as not permitted: the kernel's own state, other processes, namespaces, keys, and ways into the kernel that hardly anybody needs. */
export const REFUSED: Readonly<Record<string, SystemCall>> = {
  acct: call(163, 89, "sys_pacct"),
  add_key: call(248, 217),
  bpf: call(321, 280, "sys_admin", "bpf"),
  chroot: call(161, 51, "sys_chroot"),
  clock_settime: call(227, 112, "sys_time"),
  create_module: call(174, undefined),
  delete_module: call(176, 106, "sys_module"),
  fanotify_init: call(300, 262, "sys_admin"),
  finit_module: call(313, 273, "sys_module"),
  fsconfig: call(431, 431, "sys_admin"),
  fsmount: call(432, 432, "sys_admin"),
  fsopen: call(430, 430, "sys_admin"),
  fspick: call(433, 433, "sys_admin"),
  get_kernel_syms: call(177, undefined),
  get_mempolicy: call(239, 236, "sys_nice"),
  init_module: call(175, 105, "sys_module"),
  io_uring_enter: call(426, 426),
  io_uring_register: call(427, 427),
  io_uring_setup: call(425, 425),
  ioperm: call(173, undefined, "sys_rawio"),
  iopl: call(172, undefined, "sys_rawio"),
  kcmp: call(312, 272, "sys_ptrace"),
  kexec_file_load: call(320, 294),
  kexec_load: call(246, 104),
  keyctl: call(250, 219),
  listmount: call(458, 458, "sys_admin"),
  lookup_dcookie: call(212, 18, "sys_admin"),
  mbind: call(237, 235, "sys_nice"),
  migrate_pages: call(256, 238),
  mount: call(165, 40, "sys_admin"),
  mount_setattr: call(442, 442, "sys_admin"),
  move_mount: call(429, 429, "sys_admin"),
  move_pages: call(279, 239),
  nfsservctl: call(180, 42),
  open_by_handle_at: call(304, 265, "dac_read_search"),
  open_tree: call(428, 428, "sys_admin"),
  perf_event_open: call(298, 241, "sys_admin", "perfmon"),
  pidfd_getfd: call(438, 438, "sys_ptrace"),
  pivot_root: call(155, 41),
  process_madvise: call(440, 440, "sys_ptrace"),
  process_vm_readv: call(310, 270, "sys_ptrace"),
  process_vm_writev: call(311, 271, "sys_ptrace"),
  query_module: call(178, undefined),
  quotactl: call(179, 60, "sys_admin"),
  quotactl_fd: call(443, 443, "sys_admin"),
  reboot: call(169, 142, "sys_boot"),
  request_key: call(249, 218),
  set_mempolicy: call(238, 237, "sys_nice"),
  set_mempolicy_home_node: call(450, 450, "sys_nice"),
  setdomainname: call(171, 162, "sys_admin"),
  sethostname: call(170, 161, "sys_admin"),
  setns: call(308, 268, "sys_admin"),
  settimeofday: call(164, 170, "sys_time"),
  statmount: call(457, 457, "sys_admin"),
  swapoff: call(168, 225),
  swapon: call(167, 224),
  sysctl: call(156, undefined),
  sysfs: call(139, undefined),
  syslog: call(103, 116, "sys_admin", "syslog"),
  umount2: call(166, 39, "sys_admin"),
  unshare: call(272, 97, "sys_admin"),
  uselib: call(134, undefined),
  userfaultfd: call(323, 282),
  ustat: call(136, undefined),
  vhangup: call(153, 58, "sys_tty_config"),
  vserver: call(236, undefined),
};

/** Its flags lie where no filter reads them: programs then go on with `clone`. */
export const CLONE3 = call(435, 435, "sys_admin");
/** Not with a namespace of its own. */
export const CLONE = call(56, 220, "sys_admin");
export const CLONE_NEW_NAMESPACES = 0x7e02_0000;
/** Not to be another system's program, but for what was ever harmless. */
export const PERSONALITY = call(135, 92);
export const PERSONALITIES_ALLOWED = [0x0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff];
/** Not by ways around the pod's network: sockets to the machine's hypervisor, and the kernel's ciphers. */
export const SOCKET = call(41, 198);
export const FAMILIES_REFUSED = { AF_ALG: 38, AF_VSOCK: 40 } as const;
