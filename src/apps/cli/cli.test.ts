import { spawn, spawnSync } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { packageRoot } from '../package-root.ts'

// Processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 120_000 })

const BIN = join(packageRoot(), 'bin', 'gradus.mjs')
const SHIPPED = join(packageRoot(), 'examples', 'traces')
const AGENTS = join(SHIPPED, 'agents.jsonl')
const MATHEMATICS = join(SHIPPED, 'mathematics.jsonl')

interface Ran {
  code: number | null
  out: string
  err: string
  seconds: number
  /** Seconds until something was printed. */
  first: number
}

let folder: string
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'gradus-cli-')))
})
afterAll(async () => await rm(folder, { recursive: true, force: true }))

/** The real command in a process of its own. */
function gradus(
  args: readonly string[],
  options: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const began = performance.now()
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: options.cwd ?? folder,
      env: { ...process.env, ...options.env },
    })
    const ran: Ran = { code: null, out: '', err: '', seconds: 0, first: 0 }
    child.stdout.on('data', (chunk) => {
      if (ran.out === '') ran.first = (performance.now() - began) / 1000
      ran.out += chunk
    })
    child.stderr.on('data', (chunk) => {
      ran.err += chunk
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    child.on('close', (code) => resolve({ ...ran, code, seconds: (performance.now() - began) / 1000 }))
  })
}

const lines = (text: string): Trace[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describe.concurrent('gradus label', () => {
  it('shows the wrong step with its evidence and says what to do next', async () => {
    const { code, out, err } = await gradus(['label', AGENTS])
    expect(code).toBe(0)
    expect(err).toBe('')
    expect(out).toMatch(/^ {2}flight-to-lisbon +first wrong step 2 of 5 +risk ·█/)
    expect(out.replaceAll(/\s+/g, ' ')).toContain('cabin must be one of ["economy","business"]')
    expect(out).toMatch(/15 traces {3}[5-9] with a first wrong step/)
    expect(out).toContain('next: add -o labelled.jsonl')
  })

  it('writes whole traces under the final name only, and keeps what the file said', async () => {
    const file = join(folder, 'labelled.jsonl')
    const { code, out } = await gradus(['label', MATHEMATICS, '-o', file])
    expect(code).toBe(0)
    expect(out).toContain(`next: gradus eval ${file}`)
    const labelled = lines(await readFile(file, 'utf8'))
    const given = lines(await readFile(MATHEMATICS, 'utf8'))
    expect(labelled.map((t) => t.id)).toEqual(given.map((t) => t.id))
    labelled.forEach((trace, i) => {
      expect(trace.verdict?.risk).toHaveLength(trace.steps.length)
      expect(trace.labels).toEqual(expect.arrayContaining(given[i]?.labels ?? []))
    })
    expect((await readdir(folder)).filter((f) => f.startsWith('labelled.jsonl.'))).toEqual([])
    const evaluated = await gradus(['eval', file, '--json'])
    expect(evaluated.code).toBe(0)
    expect(JSON.parse(evaluated.out).tables[0]).toMatchObject({ benchmark: 'first-error', cases: 23 })
  })

  it('reads standard input and writes standard output, with nothing else on it', async () => {
    const input = await readFile(AGENTS, 'utf8')
    const { code, out } = await gradus(['label', '-', '-o', '-'], { input })
    expect(code).toBe(0)
    expect(lines(out)).toHaveLength(15)
  })

  it('--json is one object, and NO_COLOR is heard', async () => {
    const { code, out } = await gradus(['label', AGENTS, '--no-code', '--json'], { env: { NO_COLOR: '1' } })
    expect(code).toBe(0)
    expect(out).not.toContain('\u001b')
    expect(JSON.parse(out)).toMatchObject({ traces: 15, steps: 69, leftOut: 0, modelCalls: 0 })
  })

  it('ends with 3 where records were left out, with 2 under --strict, and then leaves no file', async () => {
    const bad = join(folder, 'bad.jsonl')
    await writeFile(bad, `${await readFile(AGENTS, 'utf8')}{"id": \n`)
    const lenient = await gradus(['label', bad])
    expect(lenient.code).toBe(3)
    expect(lenient.err).toMatch(/left out .*bad\.jsonl, line 16 .*GRD-IO-005/)
    const strict = await gradus(['label', bad, '--strict', '-o', join(folder, 'strict.jsonl')])
    expect(strict.code).toBe(2)
    expect(strict.err).toContain('error GRD-IO-005')
    await expect(access(join(folder, 'strict.jsonl'))).rejects.toThrow()
  })

  it.each([
    ['label - --show 1000 --no-code', /^ {2}flight-to-lisbon/],
    ['convert - -o -', /^\{"id"/],
  ])('%s is not hurt by a reader that stops early', async (command, said) => {
    const file = join(folder, `many-${command.slice(0, 5)}.jsonl`)
    const text = await readFile(AGENTS, 'utf8')
    // Far more than a pipe holds.
    const copies = Array.from({ length: 40 }, (_, i) => text.replaceAll('{"id":"', `{"id":"${i}-`))
    await writeFile(file, copies.join('').replace('"0-', '"'))
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `'${process.execPath}' '${BIN}' ${command} < '${file}' | head -n 1; echo "\${PIPESTATUS[0]}"`],
      { encoding: 'utf8' },
    )
    expect(stdout).toMatch(said)
    expect(stdout.trim().split('\n').slice(1)).toEqual(['0'])
    expect(stderr).toBe('')
  })
})

describe.concurrent('hostile text', () => {
  it('reaches the terminal without control characters or overrides, from traces and from messages', async () => {
    const nasty = '\u001b[2J\u001b]0;owned\u0007\u202egnp.exe\u009b31m\u001b[8m'
    const [first] = lines(await readFile(AGENTS, 'utf8'))
    const trace = { ...first, id: `evil${nasty}`, source: { ...first?.source, generator: nasty } }
    trace.steps = (first?.steps ?? []).map((s) => ({ ...s, text: `${s.text}${nasty}` }))
    const file = join(folder, 'hostile.jsonl')
    await writeFile(file, `${JSON.stringify(trace)}\n{"id": "${nasty}\n`)
    const runs = [gradus(['label', file]), gradus(['inspect', file]), gradus(['inspect', file, '--json'])]
    for (const { code, out, err } of await Promise.all(runs)) {
      expect(code).toBe(3)
      expect(out + err).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    }
    const inspected = await runs[2]
    expect(JSON.parse(inspected?.out ?? '').generators).toEqual({ [nasty]: 1 })
  })
})

describe.concurrent('other verbs', () => {
  it('inspect counts and convert writes what inspect reads again', async () => {
    const file = join(folder, 'as-processbench.json')
    const converted = await gradus(['convert', MATHEMATICS, '--to', 'processbench', '-o', file])
    expect(converted).toMatchObject({ code: 0, err: '23 traces written as processbench\n' })
    const { code, out } = await gradus(['inspect', file, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      format: 'processbench',
      traces: 23,
      firstErrors: { wrong: 16, clean: 7, unlabelled: 0 },
    })
  })

  it('eval of traces without a verdict shows outcomes and asks for labels', async () => {
    const { code, out, err } = await gradus(['eval', AGENTS])
    expect(code).toBe(0)
    expect(out).toContain('of 15 runs of 15 problems succeed')
    expect(err).toContain(`next: gradus label ${AGENTS}`)
  })

  it('methods lists rooms and refuses what it does not know', async () => {
    const { out } = await gradus(['methods', 'tool-schema'])
    expect(out).toMatch(
      /verifier:tool-schema {2,}checks tool calls[\s\S]+ covers {2,}[\s\S]+ trust {2,}"wrong" is right in \d/,
    )
    expect((await gradus(['methods', 'nothing-like-it'])).code).toBe(2)
  })

  it.each([
    [['equal', '\\frac{1}{2}', '0.5'], /^equal {3}/],
    [['equal', '3', '4'], /^different {3}/],
  ])('%j', async (args, said) => {
    const { code, out } = await gradus(args)
    expect(code).toBe(0)
    expect(out).toMatch(said)
  })

  it('equal --tsv answers line by line and keeps the lines together', async () => {
    const { code, out, err } = await gradus(['equal', '--tsv'], { input: '1/2\t0.5\nno pair\n2\t3\n' })
    expect(out.split('\n').map((l) => l.split('\t')[0])).toEqual(['equal', 'unknown', 'different', ''])
    expect(err).toContain('line 2')
    expect(code).toBe(3)
  })

  it('equal --tsv answers before the input ends', async () => {
    const child = spawn(process.execPath, [BIN, 'equal', '--tsv', '--json'])
    const answered = new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))))
    child.stdin.write('7\t7.0\n')
    expect(JSON.parse(await answered)).toMatchObject({ verdict: 'equal' })
    child.stdin.end()
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
  })

  it('data lists the sets, and fails with a code for one that is not there', async () => {
    const env = { GRADUS_DATA: '', XDG_CACHE_HOME: folder }
    const { code, out, err } = await gradus(['data', '--commercial'], { env })
    expect(code).toBe(0)
    expect(out).toMatch(/processbench +- +Apache-2.0/)
    expect(err).toMatch(/^left out/)
    const given = await mkdtemp(join(folder, 'given-'))
    await mkdir(join(given, 'math500'))
    await writeFile(join(given, 'math500', 'math500_test.jsonl.gz'), '')
    const found = await gradus(['data', 'math500'], { env: { GRADUS_DATA: given } })
    expect(found).toMatchObject({ code: 0, err: '', out: `${join(given, 'math500', 'math500_test.jsonl.gz')}\n` })
  })
})

describe.concurrent('misuse', () => {
  it.each([
    [[], 0, /New here\? gradus start/],
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
    [['convert', '--help'], 0, /Usage: gradus convert/],
    [['convert', AGENTS, '--to', 'nonsense'], 2, /GRD-IO-004/],
    [['labl'], 2, /GRD-CLI-001/],
    [['label'], 2, /GRD-CLI-001[\s\S]*gradus label --help/],
    [['convert'], 2, /missing required argument[\s\S]*gradus convert --help/],
    [['label', 'x.jsonl', '--outptu', 'y'], 2, /Did you mean --output/],
    [['label', AGENTS, '--show', 'many'], 2, /GRD-CLI-002[\s\S]*--show[\s\S]*number/],
    [['inspect', 'nothing.jsonl'], 2, /GRD-IO-001[\s\S]*no such file/],
    [['label', AGENTS, '-o', 'no/folder/x.jsonl'], 2, /GRD-IO-013[\s\S]*mkdir -p/],
    [['inspect', join(packageRoot(), 'package.json')], 2, /GRD-IO-012/],
    [['equal', '1'], 2, /two answers/],
    [['data', 'no-such-set'], 2, /GRD-DATA-001/],
  ] as const)('%j ends with %i', async (args, status, said) => {
    const { code, out, err } = await gradus(args)
    expect(code).toBe(status)
    expect(status === 0 ? out : err).toMatch(said)
    expect(status === 0 ? err : out).toBe('')
  })

  it('--json gives the error as JSON', async () => {
    const { code, err } = await gradus(['label', 'nothing.jsonl', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(err).error).toMatchObject({ code: 'GRD-IO-001', where: { file: 'nothing.jsonl' } })
  })
})

/** `gradus --version` on two cores that have nothing else to do. */
const IDLE_SECONDS = 0.15

describe('gradus start', () => {
  it('labels the shipped traces, and each command that it prints works when pasted', async () => {
    const cwd = await mkdtemp(join(folder, 'start-'))
    const idle = (await gradus(['--version'])).seconds
    const { code, out, err, seconds, first } = await gradus(['start', '--no-run'], { cwd })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/▸ +3 {2}Tom and Priya swap books/)
    expect(out).toMatch(/53 traces labelled/)
    // At least half of the known errors are found, none elsewhere, and no clean trace raises an alarm.
    const all =
      out
        .match(/^ {2}all +(.+)$/m)?.[1]
        ?.split(/ +/)
        .map(Number) ?? []
    const [erroneous = 0, found = 0, elsewhere, , , , falseAlarms] = all
    expect(found).toBeGreaterThanOrEqual(erroneous / 2)
    expect([erroneous, elsewhere, falseAlarms]).toEqual([38, 0, 0])
    // The promise is 3 and 10 seconds; where other work has the cores it is as many times the time of `--version`.
    expect(first).toBeLessThan(Math.max(3, 3 * (idle / IDLE_SECONDS)))
    expect(seconds).toBeLessThan(Math.max(10, 10 * (idle / IDLE_SECONDS)))
    expect(await readFile(join(cwd, 'gradus-out', 'report.html'), 'utf8')).toContain('book-exchange')

    const commands = [...out.matchAll(/^ {4}npx gradus (.+?) {3}/gm)].map((m) => m[1] ?? '')
    expect(commands).toHaveLength(3)
    for (const command of commands) {
      const { status, stderr } = spawnSync('sh', ['-c', `'${process.execPath}' '${BIN}' ${command}`], { cwd })
      expect({ command, status, stderr: String(stderr) }).toEqual({ command, status: 0, stderr: '' })
    }
  })
})

it('gradus start uses a temporary folder where the current one cannot take its results', async () => {
  const cwd = await mkdtemp(join(folder, 'taken-'))
  await writeFile(join(cwd, 'gradus-out'), 'a file of somebody else')
  const { code, out } = await gradus(['start', '--json'], { cwd, env: { TMPDIR: folder } })
  expect(code).toBe(0)
  const { labelled } = JSON.parse(out)
  expect(labelled.startsWith(join(folder, 'gradus-out-'))).toBe(true)
  expect(lines(await readFile(labelled, 'utf8'))).toHaveLength(53)
  expect(await readFile(join(cwd, 'gradus-out'), 'utf8')).toBe('a file of somebody else')
})

const oldNode = (process.env.PATH ?? '')
  .split(delimiter)
  .map((place) => join(place, 'node'))
  .find((node) => {
    const [major = 99] = (spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout ?? '')
      .split('.')
      .map(Number)
    return major > 0 && major < 22
  })

describe.skipIf(oldNode === undefined)(`an old Node${oldNode ? '' : ' (none on PATH)'}`, () => {
  it('runs gradus on the pinned Node, exit code and pipes included', async () => {
    const run = (args: string[]) => spawnSync(oldNode ?? '', [BIN, ...args], { encoding: 'utf8', cwd: folder })
    expect(run(['equal', '1/4', '0.25'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^equal/) })
    expect(run(['nonsense'])).toMatchObject({ status: 2, stderr: expect.stringContaining('GRD-CLI-001') })
  })

  it('says in one line what to install where there is no newer Node', async () => {
    const lonely = join(await mkdtemp(join(folder, 'lonely-')), 'gradus.mjs')
    await writeFile(lonely, await readFile(BIN))
    const { status, stderr } = spawnSync(oldNode ?? '', [lonely, 'start'], { encoding: 'utf8' })
    expect(status).toBe(2)
    expect(stderr).toMatch(/^gradus needs Node 22\.13 or newer; this is v\d+.*\n$/)
  })
})
