import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { CLAIMED, type Claim, type Language, type Level, type Limits, probeLevels, run } from './index.ts'
import { which } from './interpreters.ts'

/**
 * Every claim of every level is attacked by code that really tries. A probe says `held` or what it got; a claim that a
 * level does not make must fall to the same probe, so that `local` cannot look better than it is.
 */
const levels = await probeLevels()
const level = (name: Level['name']): Level => {
  const found = levels.find((l) => l.name === name)
  if (!found) throw new Error(`no level ${name}`)
  return found
}

const SECRET = 'gradus-probe-secret'
const folder = mkdtempSync(join(tmpdir(), 'gradus-probe-'))
// Readable for everybody, so that nothing but the jail itself protects it.
chmodSync(folder, 0o755)
const secretFile = join(folder, 'secret.txt')
const writtenFile = join(folder, 'written.txt')
let server: Server
let port = 0
let victim: ChildProcess

beforeAll(async () => {
  writeFileSync(secretFile, SECRET)
  process.env['GRADUS_PROBE'] = SECRET
  server = createServer((socket) => socket.end(SECRET))
  port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
})

afterAll(() => {
  delete process.env['GRADUS_PROBE']
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Small limits: a probe that gets through must stay harmless. */
const LIMITS: Partial<Limits> = {
  seconds: 4,
  memoryBytes: 256 * 1024 * 1024,
  processes: 16,
  outputBytes: 64 * 1024,
  diskBytes: 4 * 1024 * 1024,
}

function attack(at: Level['name'], language: Language, code: string, limits: Partial<Limits> = {}) {
  return run({ language, code, level: at, allowLocal: true, limits: { ...LIMITS, ...limits } })
}

/** Text of a Python program that prints `held` or what it got. */
const python = (body: string): string => `import os, sys, socket, subprocess, glob
got = []
def reads(path):
    try:
        with open(path) as f: got.append(path + ' ' + f.read()[:40])
    except OSError: pass
${body}
print(got or 'held')
`

const PYTHON_PROBES: Record<Exclude<Claim, 'signals' | 'processes'>, (at: Level['name']) => Promise<boolean>> = {
  async files(at) {
    const { stdout } = await attack(
      at,
      'python',
      python(`
secret = ${JSON.stringify(secretFile)}
reads(secret)
reads('../' * 20 + secret.lstrip('/'))
for root in ('/proc/1/root', '/proc/self/root', '/proc/self/cwd/..', '/old', '/oldroot'): reads(root + secret)
os.symlink(secret, 'link'); reads('link')
for d in range(3, 64):
    try: os.fstat(d); got.append('descriptor %d' % d)
    except OSError: pass
    reads('/proc/self/fd/%d' % d)
for path in (${JSON.stringify(writtenFile)}, '/usr/gradus-probe', '/gradus-probe', '/dev/gradus-probe'):
    try:
        open(path, 'w').close(); os.unlink(path) if path.startswith(('/usr', '/g', '/dev')) else None; got.append('wrote ' + path)
    except OSError: pass
for command in (['mount', '-t', 'tmpfs', 'none', '/usr'], ['umount', '-l', '/usr'], ['/usr/sbin/chroot', '/usr', '/bin/true']):
    if ${at === 'local' ? 'False' : 'True'} and subprocess.run(command, capture_output=True).returncode == 0: got.append(' '.join(command))
`),
    )
    const written = readdirSync(folder).includes('written.txt')
    rmSync(writtenFile, { force: true })
    return stdout.trim() === 'held' && !written
  },
  async environment(at) {
    const { stdout } = await attack(
      at,
      'python',
      python(`
if 'GRADUS_PROBE' in os.environ: got.append('own environment')
for path in glob.glob('/proc/[0-9]*/environ'):
    try:
        if b'GRADUS_PROBE' in open(path, 'rb').read(): got.append(path)
    except OSError: pass
# The variable was set while this process ran, so /proc may not show it; any variable of the parent tells as much.
    try:
        if b'VITEST' in open(path, 'rb').read(): got.append(path)
    except OSError: pass
`),
    )
    return stdout.trim() === 'held'
  },
  async network(at) {
    const { stdout } = await attack(
      at,
      'python',
      python(`
try: got.append(socket.create_connection(('127.0.0.1', ${port}), 1).recv(40))
except OSError: pass
try:
    outside = [n for _, n in socket.if_nameindex() if n != 'lo']
    if outside: got.append('interfaces')
except OSError: pass
`),
    )
    return stdout.trim() === 'held'
  },
  async memory(at) {
    const one = await attack(at, 'python', 'x = bytearray(1 << 30); x[::4096] = b"a" * (1 << 18); print(len(x))')
    const many = await attack(
      at,
      'python',
      'x = []\nwhile len(x) < 1 << 10: x.append(bytearray(1 << 20))\nprint(len(x))',
    )
    return one.status === 'memory' && many.status === 'memory'
  },
  async time(at) {
    const limits = { seconds: 0.7 }
    const codes = [
      'while True: pass',
      'import time; time.sleep(60)',
      'import signal, time\nfor s in range(1, 32):\n  try: signal.signal(s, signal.SIG_IGN)\n  except (OSError, ValueError): pass\ntime.sleep(60)',
    ]
    const results = await Promise.all(codes.map((code) => attack(at, 'python', code, limits)))
    return results.every((r) => r.status === 'timeout' && r.seconds < 2.5)
  },
  async output(at) {
    const codes = ['while True: print("a" * 1000)', 'import sys\nwhile True: sys.stderr.write("a" * 1000)']
    const results = await Promise.all(codes.map((code) => attack(at, 'python', code)))
    const cap = LIMITS.outputBytes ?? 0
    return results.every((r) => r.status === 'output' && r.stdout.length + r.stderr.length <= cap && r.seconds < 3.5)
  },
}

/** A process of the host with this word in its command line. */
function alive(token: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(token) && Number(pid) !== process.pid
      } catch {
        return false
      }
    })
    .map(Number)
}

/** Sends a real SIGTERM at a process that the test started for this. */
async function signalsHeld(at: Level['name']): Promise<boolean> {
  victim = spawn('/bin/sleep', ['30'], { stdio: 'ignore' })
  const ended = new Promise<boolean>((resolve) => victim.once('exit', () => resolve(true)))
  await attack(at, 'python', `import os\nos.kill(${victim.pid}, 15)`)
  const killed = await Promise.race([ended, new Promise<boolean>((r) => setTimeout(() => r(false), 200))])
  victim.kill('SIGKILL')
  return !killed
}

/** The bomb forks 40 sleeping children at most, whatever the limit does. */
async function forksBounded(at: Level['name']): Promise<boolean> {
  const code = `import os, time
made = 0
for _ in range(40):
    try: child = os.fork()
    except OSError: break
    if child == 0:
        time.sleep(0.3); os._exit(0)
    made += 1
print(made)`
  const { stdout } = await attack(at, 'python', code)
  return Number(stdout) > 0 && Number(stdout) < (LIMITS.processes ?? 0)
}

/** A daemon in a session of its own; returns whether it outlived the run, and ends it. */
async function daemonDies(at: Level['name']): Promise<boolean> {
  const token = `gradus-daemon-${at}-${process.pid}`
  await attack(
    at,
    'python',
    `import subprocess, sys
quiet = subprocess.DEVNULL
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)', '${token}'], start_new_session=True, stdin=quiet, stdout=quiet, stderr=quiet)`,
  )
  await vi.waitUntil(() => alive(token).length === 0, { timeout: 500 }).catch(() => {})
  const survivors = alive(token)
  for (const pid of survivors) process.kill(pid, 'SIGKILL')
  return survivors.length === 0
}

for (const name of ['bubblewrap', 'namespaces'] as const) {
  const { available, reason } = level(name)
  const unless = available ? '' : ` (not on this machine: ${reason})`
  describe.skipIf(!available)(`${name}${unless}`, () => {
    it('claims everything', () => {
      expect(level(name)).toMatchObject({ isolating: true, claims: CLAIMED.bubblewrap })
    })
    for (const [claim, held] of Object.entries(PYTHON_PROBES)) {
      it(`holds its claim: ${claim}`, async () => expect(await held(name)).toBe(true))
    }
    it('holds its claim: signals', async () => expect(await signalsHeld(name)).toBe(true))
    it('holds its claim: processes (a fork bomb stops at the limit, a daemon dies with the run)', async () => {
      expect(await forksBounded(name)).toBe(true)
      expect(await daemonDies(name)).toBe(true)
    })
    it('survives an endless fork bomb', async () => {
      const bomb = 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass'
      const result = await attack(name, 'python', bomb, { seconds: 1, processes: 12 })
      expect(result.status).toBe('timeout')
      expect(result.seconds).toBeLessThan(3)
    })
    it('bounds what is written to /tmp', async () => {
      const code = `n = 0
try:
    for i in range(16):
        with open('f%d' % i, 'wb') as f: n += f.write(b'a' * (1 << 20)); f.flush()
except OSError as e: print(e.errno)
print(n >> 20 < 5)`
      expect((await attack(name, 'python', code)).stdout).toBe('28\nTrue\n')
    })
    it('runs as the unprivileged user, without capabilities, and cannot become root', async () => {
      const code = `import os
print(os.getuid(), os.getgid())
try: os.setuid(0); print('root')
except OSError: print('refused')`
      expect((await attack(name, 'python', code)).stdout).toBe('65534 65534\nrefused\n')
    })
    it.skipIf(!level(name).languages.includes('javascript'))('holds the same for Node', async () => {
      const code = `const fs = require('fs'), net = require('net')
const got = []
try { fs.readFileSync(${JSON.stringify(secretFile)}); got.push('file') } catch {}
if (process.env.GRADUS_PROBE) got.push('environment')
net.connect(${port}, '127.0.0.1').on('connect', () => { console.log('network'); process.exit() }).on('error', () => console.log(got.join() || 'held'))`
      expect((await attack(name, 'javascript', code, { processes: 32 })).stdout).toBe('held\n')
      const hog = 'const a = []; for (let i = 0; i < 2000; i++) a.push(Buffer.alloc(1 << 20, 1)); console.log(a.length)'
      expect((await attack(name, 'javascript', hog, { processes: 32 })).status).toBe('memory')
    })
  })
}

describe.skipIf(!level('local').available)('local', () => {
  it('claims memory, time and output, and nothing else', () => {
    expect(level('local')).toMatchObject({ isolating: false, claims: ['memory', 'time', 'output'] })
  })
  for (const claim of CLAIMED.local) {
    const held = claim === 'memory' || claim === 'time' || claim === 'output' ? PYTHON_PROBES[claim] : undefined
    it(`holds its claim: ${claim}`, async () => expect(await held?.('local')).toBe(true))
  }
  it('does not claim what falls to the probes: files, environment, network, signals, daemons', async () => {
    expect(await PYTHON_PROBES.files('local')).toBe(false)
    expect(await PYTHON_PROBES.environment('local')).toBe(false)
    expect(await PYTHON_PROBES.network('local')).toBe(false)
    expect(await signalsHeld('local')).toBe(false)
    expect(await daemonDies('local')).toBe(false)
  })
  it('does not run unless it is allowed', async () => {
    await expect(run({ language: 'python', code: 'print(1)', level: 'local' })).rejects.toMatchObject({
      code: 'GRD-BOX-001',
    })
  })
})

describe('quickjs', () => {
  const js = (code: string, limits: Partial<Limits> = {}) => attack('quickjs', 'javascript', code, limits)

  it('has no way to files, environment, network, processes or signals', async () => {
    const code = `const names = ['process', 'require', 'module', 'fetch', 'XMLHttpRequest', 'WebSocket', 'std', 'os', 'Deno', 'Bun', 'Worker', 'importScripts', 'global', 'Buffer', 'setTimeout', 'WebAssembly', 'scriptArgs']
const root = Function('return this')()
const found = names.filter((n) => typeof root[n] !== 'undefined')
for (const escape of ['return process', 'return require', 'return constructor.constructor("return process")()']) {
  for (const f of [console.log, print, console, [], Error]) {
    try { f.constructor.constructor(escape)(); found.push(escape) } catch {}
  }
}
console.log(found.length === 0 ? 'held' : found)
import('fs').then(() => console.log('imported'), () => console.log('no modules'))`
    expect((await js(code)).stdout).toBe('held\nno modules\n')
  })
  it('ends endless loops and regular expressions at the limit', async () => {
    expect((await js('for (;;) {}', { seconds: 0.5 })).status).toBe('timeout')
    expect((await js('/^(a+)+$/.test("a".repeat(40) + "b")', { seconds: 0.5 })).status).toBe('timeout')
    expect((await js('const p = () => Promise.resolve().then(p); p()', { seconds: 0.5 })).status).toBe('timeout')
  })
  it('bounds memory, and works again afterwards', async () => {
    const small = { memoryBytes: 16 << 20, seconds: 0.5 }
    expect((await js('const s = "a".repeat(1 << 29) + 1', small)).status).toBe('memory')
    expect(await js('console.log(6 * 7)')).toMatchObject({ status: 'ok', stdout: '42\n' })
    // Near its limit the interpreter crawls without looking at the clock; the worker is ended from outside.
    const crawl = await js('const keep = []; for (;;) keep.push("a".repeat(1 << 20) + keep.length)', small)
    expect(['memory', 'timeout']).toContain(crawl.status)
    expect(crawl.seconds).toBeLessThan(2)
    expect(await js('console.log(6 * 7)')).toMatchObject({ status: 'ok', stdout: '42\n' })
  })
  it('cuts a flood of output', async () => {
    const { status, stdout } = await js('const line = "a".repeat(1000); for (;;) console.log(line)')
    expect(status).toBe('output')
    expect(stdout.length).toBeLessThanOrEqual(LIMITS.outputBytes ?? 0)
  })
  it('turns an endless recursion and a rejected promise into errors', async () => {
    expect(await js('function f() { f() } f()')).toMatchObject({ status: 'error', exitCode: 1 })
    expect(await js('Promise.reject(new TypeError("no"))')).toMatchObject({ status: 'error', stderr: /TypeError: no/ })
  })
})

describe('the ladder without its upper rungs', () => {
  const unshare = which('unshare', process.env['PATH'] ?? '')
  const onlyUnshare = join(folder, 'bin')
  const empty = join(folder, 'empty')

  it.skipIf(!level('namespaces').available)('with bubblewrap hidden the result says namespaces', async () => {
    const dir = mkdtempSync(onlyUnshare)
    chmodSync(dir, 0o755)
    symlinkSync(unshare ?? '', join(dir, 'unshare'))
    const hidden = await probeLevels(dir)
    expect(hidden.find((l) => l.name === 'bubblewrap')).toMatchObject({
      available: false,
      reason: 'bwrap is not installed',
    })
    expect(await run({ language: 'python', code: 'print(1)', path: dir })).toMatchObject({
      status: 'ok',
      level: 'namespaces',
    })
  })
  it.skipIf(!level('local').available)(
    'with both hidden Python is refused, or runs as local where that is allowed',
    async () => {
      const refused = run({ language: 'python', code: 'print(1)', path: empty })
      await expect(refused).rejects.toMatchObject({ code: 'GRD-BOX-001', found: /bwrap is not installed.*not allowed/ })
      expect(await run({ language: 'python', code: 'print(1)', path: empty, allowLocal: true })).toMatchObject({
        status: 'ok',
        level: 'local',
      })
    },
  )
  it('JavaScript still has QuickJS', async () => {
    expect(await run({ language: 'javascript', code: 'console.log(1)', path: empty })).toMatchObject({
      level: 'quickjs',
    })
  })
})
