/**
 * The sandbox ladder: what each level holds against hostile code, and what it does not.
 *
 * | level        | boundary                                                                    |
 * | ------------ | --------------------------------------------------------------------------- |
 * | `bubblewrap` | bwrap: own user, mount, process, network, IPC and host-name namespaces, uid 65534, no capabilities, no new user namespaces, no /proc, read-only root |
 * | `namespaces` | the same namespaces by `unshare`, `mount` and `pivot_root`, with a /proc of its own processes; new user namespaces stay possible |
 * | `quickjs`    | JavaScript only: an interpreter in WebAssembly in a worker thread, with nothing but `console` and `print` |
 * | `local`      | none: a child with resource limits, under the same user as Gradus           |
 *
 * Claims, each attacked by `sandbox.probes.test.ts`:
 * - `files`: host files outside /usr and the interpreter's own folder cannot be read, none can be written.
 * - `environment`: no variable of the parent is visible, neither directly nor by /proc.
 * - `network`: no address answers, the host's loopback included.
 * - `processes`: the number of processes and threads is bounded, and none outlives the run (the kernel takes some
 *   milliseconds to clear them away).
 * - `memory`: address space (Python) or private writable memory (Node) of each process, the interpreter's heap (QuickJS,
 *   which near the limit may crawl and then ends as `timeout`).
 * - `time`: the program is killed at the wall-clock limit; each process has a CPU limit beside it.
 * - `signals`: no process outside can be signalled.
 * - `output`: standard output and error together are cut at a limit, and the program is killed.
 *
 * Not covered, at any level: bugs in the kernel, in V8 or in QuickJS; timing and other side channels; the sum of memory
 * over processes (at most processes x memory, plus the size of /tmp, plus kernel objects); the load on the processor
 * until the time limit; what is readable below /usr (installed software). There is no system call filter. Code inside
 * sees the kernel version and the clock, so that a program can print different things on different days.
 *
 * `local` claims memory, time and output only. It reads and writes what its user may, uses the network, sees processes
 * and signals them; a child that starts a session of its own outlives the kill until its CPU limit, and for root the
 * limit on processes does not hold. It runs only when asked for by name or with `allowLocal`.
 */

export const LEVELS = ['bubblewrap', 'namespaces', 'quickjs', 'local'] as const
export type LevelName = (typeof LEVELS)[number]

export const CLAIMS = ['files', 'environment', 'network', 'processes', 'memory', 'time', 'signals', 'output'] as const
export type Claim = (typeof CLAIMS)[number]

export type Language = 'python' | 'javascript'

/** What each level promises. */
export const CLAIMED: Record<LevelName, readonly Claim[]> = {
  bubblewrap: CLAIMS,
  namespaces: CLAIMS,
  quickjs: CLAIMS,
  local: ['memory', 'time', 'output'],
}

/** One rung as it is on this machine. */
export interface Level {
  name: LevelName
  /** Holds every claim; only such levels run code without being told to. */
  isolating: boolean
  claims: readonly Claim[]
  available: boolean
  /** What it can run here; empty where it is not available. */
  languages: readonly Language[]
  /** What the test found, one line. */
  reason: string
}

export interface Limits {
  /** Wall clock, seconds; the CPU limit of each process is this times the processors, plus 1. */
  seconds: number
  /** Of each process, bytes. */
  memoryBytes: number
  /** Processes and threads together. */
  processes: number
  /** Standard output and error together, bytes. */
  outputBytes: number
  /** Size of /tmp, and of the largest file, bytes. */
  diskBytes: number
  openFiles: number
}

/**
 * Enough for unit tests of single functions (HumanEval, MBPP: all below 1 s and 60 MiB); Node starts 11 threads and
 * does not start below about 100 MiB of private memory.
 */
export const DEFAULT_LIMITS: Limits = {
  seconds: 5,
  memoryBytes: 512 * 1024 * 1024,
  processes: 32,
  outputBytes: 1024 * 1024,
  diskBytes: 64 * 1024 * 1024,
  openFiles: 128,
}

/** Who the code is inside: `nobody` of Debian and the kernel's overflow user. */
export const UNPRIVILEGED = 65_534
