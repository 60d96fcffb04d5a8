import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import type { Launch } from './child.ts'
import { type Interpreter, SYSTEM_PATH } from './interpreters.ts'
import { type Limits, UNPRIVILEGED } from './levels.ts'

/** One program to run at a level that starts a process. */
export interface Job {
  interpreter: Interpreter
  code: string
  stdin: string
  /** Path relative to the working folder -> text. */
  files: Readonly<Record<string, string>>
  limits: Limits
}

/** A launch and the removal of what it left on the host. */
export interface Jail {
  launch: Launch
  dispose(): Promise<void>
}

/** Files beside the program; each takes a descriptor. */
const MAX_FILES = 64

/** All that the code sees of an environment. A fixed hash seed makes the order of Python sets repeatable. */
const INSIDE_ENV = { PATH: '/usr/bin', HOME: '/tmp', LANG: 'C.UTF-8', PYTHONHASHSEED: '0', PYTHONIOENCODING: 'utf-8' }

/** `bwrap` with its own root, everything read-only but a sized /tmp; texts go in by descriptor, nothing touches the disk. */
export function bubblewrap(job: Job, tools: { bwrap: string }): Jail {
  const texts = staged(job)
  const args = ['--unshare-user', '--unshare-all', '--disable-userns', '--die-with-parent', '--new-session']
  args.push('--clearenv', ...Object.entries(INSIDE_ENV).flatMap(([k, v]) => ['--setenv', k, v]))
  args.push('--ro-bind', '/usr', '/usr')
  for (const folder of ['bin', 'lib', 'lib64', 'sbin']) args.push('--symlink', `usr/${folder}`, `/${folder}`)
  args.push('--dev', '/dev', '--remount-ro', '/dev')
  for (const { from, to } of job.interpreter.binds) args.push('--ro-bind', from, to)
  args.push('--size', String(job.limits.diskBytes), '--tmpfs', '/tmp')
  const folders = new Set(texts.flatMap(([path]) => parents(path)))
  for (const folder of folders) args.push('--dir', `/tmp/${folder}`)
  texts.forEach(([path], i) => {
    args.push('--file', String(3 + i), `/tmp/${path}`)
  })
  args.push('--remount-ro', '/', '--cap-drop', 'ALL', '--uid', String(UNPRIVILEGED), '--gid', String(UNPRIVILEGED))
  args.push('--hostname', 'sandbox', '--chdir', '/tmp', '--', ...limited(job, `/tmp/${job.interpreter.file}`))
  return {
    // The empty environment also empties /proc/1/environ of bwrap's own first process.
    launch: {
      command: tools.bwrap,
      args,
      env: {},
      cwd: '/',
      stdin: job.stdin,
      descriptors: texts.map(([, text]) => text),
      ...unprivileged(),
    },
    dispose: async () => {},
  }
}

/**
 * Builds a root of its own and goes into it. As process 1 the shell survives what the code signals and takes every
 * process with it when it ends; the second `unshare` leaves the capabilities behind.
 * Arguments: folder with `box` and `root`, size of /tmp, number of binds, pairs of binds, command.
 */
const SETUP = `set -e
R="$1/root"; B="$1/box"; S="$2"; N="$3"; shift 3
mount --make-rprivate /
mount -t tmpfs -o size=1m,mode=755 none "$R"
mkdir "$R/usr" "$R/dev" "$R/tmp" "$R/proc" "$R/old"
mount -t proc none "$R/proc"
mount -t tmpfs -o size="$S",mode=1777 none "$R/tmp"
cp -RP "$B/." "$R/tmp/"
mount --rbind /usr "$R/usr"
mount -o remount,bind,ro "$R/usr"
for d in null zero full random urandom; do : > "$R/dev/$d"; mount --bind "/dev/$d" "$R/dev/$d"; done
for d in bin lib lib64 sbin; do ln -s "usr/$d" "$R/$d"; done
while [ "$N" -gt 0 ]; do
  if [ -d "$1" ]; then mkdir -p "$R$2"; else mkdir -p "$(dirname "$R$2")"; : > "$R$2"; fi
  mount --bind "$1" "$R$2"
  mount -o remount,bind,ro "$R$2"
  shift 2; N=$((N - 1))
done
mount -o remount,bind,ro "$R"
cd "$R"
pivot_root . old
umount -l /old
cd /tmp
set +e
unshare --user --map-user=${UNPRIVILEGED} --map-group=${UNPRIVILEGED} -- setpriv --no-new-privs -- env -i ${Object.entries(
  INSIDE_ENV,
)
  .map(([k, v]) => `${k}=${v}`)
  .join(' ')} "$@"
exit $?`

/** The same boundary as `bubblewrap` from util-linux alone; texts go through a folder of the host that only holds them. */
export async function namespaces(job: Job, tools: { unshare: string }): Promise<Jail> {
  const folder = await stage(job, 'box', 0o755)
  await mkdir(join(folder, 'root'))
  await chmod(join(folder, 'root'), 0o755)
  const binds = job.interpreter.binds.flatMap(({ from, to }) => [from, to])
  const args = ['--user', '--map-root-user', '--mount', '--pid', '--net', '--ipc', '--uts', '--fork', '--kill-child']
  args.push(
    '--',
    '/bin/sh',
    '-c',
    SETUP,
    'sh',
    folder,
    String(job.limits.diskBytes),
    String(binds.length / 2),
    ...binds,
  )
  args.push(...limited(job, `/tmp/${job.interpreter.file}`))
  return {
    launch: {
      command: tools.unshare,
      args,
      env: { PATH: SYSTEM_PATH },
      cwd: '/',
      stdin: job.stdin,
      descriptors: [],
      ...unprivileged(),
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  }
}

/** A plain child with limits in a folder of its own: no boundary. */
export async function local(job: Job): Promise<Jail> {
  const folder = await stage(job, 'box', 0o700)
  const box = join(folder, 'box')
  const outside = { ...job, interpreter: { ...job.interpreter, inside: job.interpreter.program } }
  const [command = '', ...args] = limited(outside, join(box, job.interpreter.file))
  return {
    launch: { command, args, env: { ...INSIDE_ENV, HOME: box }, cwd: box, stdin: job.stdin, descriptors: [] },
    dispose: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Limits are set inside, so that each jail counts its own processes. */
function limited(job: Job, program: string): string[] {
  const { limits, interpreter } = job
  // Threads on several processors may use more than the wall clock; this limit is for what escapes its end.
  const cpu = Math.ceil(limits.seconds * availableParallelism()) + 1
  return [
    '/usr/bin/prlimit',
    `--nproc=${limits.processes}`,
    `--${interpreter.memory}=${limits.memoryBytes + interpreter.reserved}`,
    `--cpu=${cpu}:${cpu + 1}`,
    `--fsize=${limits.diskBytes}`,
    `--nofile=${limits.openFiles}`,
    '--core=0',
    '--',
    interpreter.inside,
    ...interpreter.args(limits.memoryBytes),
    program,
  ]
}

/**
 * For root the kernel does not enforce the limit on processes, not even inside a user namespace: the jail therefore
 * starts as a real other user. In a container that has no such user root is already somebody else outside.
 */
function unprivileged(): { user?: number } {
  return process.getuid?.() === 0 && mapped(UNPRIVILEGED) ? { user: UNPRIVILEGED } : {}
}

/** Does this user exist in the present user namespace? Lines of the map: first inside, first outside, count. */
function mapped(user: number): boolean {
  const lines = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n')
  return lines.some((line) => {
    const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number)
    return user >= first && user < first + count
  })
}

/** Program and files with checked names. */
function staged(job: Job): [string, string][] {
  const names = Object.keys(job.files)
  if (names.length > MAX_FILES) {
    throw new GradusError('GRD-BOX-002', { found: `${names.length} files`, expected: `at most ${MAX_FILES}` })
  }
  for (const name of names) {
    const plain = posix.normalize(name)
    if (
      name === '' ||
      plain !== name ||
      plain.startsWith('..') ||
      posix.isAbsolute(plain) ||
      name.includes('\0') ||
      name.endsWith('/') ||
      plain === '.'
    ) {
      throw new GradusError('GRD-BOX-002', {
        found: `file name ${JSON.stringify(name)}`,
        expected: 'a plain relative path below the working folder',
      })
    }
    if (name === job.interpreter.file) {
      throw new GradusError('GRD-BOX-002', { found: `file name ${name}, which is the program's own` })
    }
  }
  return [[job.interpreter.file, job.code], ...names.map((name): [string, string] => [name, job.files[name] ?? ''])]
}

/** `a/b/c` -> `a`, `a/b`. */
function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

/** Writes program and files into `<new folder>/<name>`; all names are fresh, so no link can lead out. */
async function stage(job: Job, name: string, mode: number): Promise<string> {
  const texts = staged(job)
  const folder = await mkdtemp(join(tmpdir(), 'gradus-box-'))
  const box = join(folder, name)
  await mkdir(box)
  for (const [path, text] of texts) {
    await mkdir(dirname(join(box, path)), { recursive: true })
    await writeFile(join(box, path), text)
  }
  // Modes are set afterwards, whatever the umask is: another user must be able to read what is staged.
  for (const path of new Set(texts.flatMap(([path]) => parents(path)))) await chmod(join(box, path), 0o755)
  for (const [path] of texts) await chmod(join(box, path), 0o644)
  await chmod(box, mode)
  await chmod(folder, mode)
  return folder
}
