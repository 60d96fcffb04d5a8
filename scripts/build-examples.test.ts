import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { beforeAll, describe, expect, it } from 'vitest'
import { Trace } from '../src/core/words.ts'
import { AREAS, linesOf } from './build-examples.ts'
import { type Example, traceOf } from './examples/example.ts'

const examples = Object.values(AREAS).flat()
const traces = examples.map(traceOf)
const python = spawnSync('python3', ['--version']).status === 0

describe('shipped traces', () => {
  it.each(Object.keys(AREAS))('examples/traces/%s.jsonl is what the script writes', async (area) => {
    const file = join(import.meta.dirname, '..', 'examples', 'traces', `${area}.jsonl`)
    expect(await readFile(file, 'utf8')).toBe(linesOf(AREAS[area] ?? []))
  })

  it('are counted rightly in their README', async () => {
    const readme = await readFile(join(import.meta.dirname, '..', 'examples', 'traces', 'README.md'), 'utf8')
    const wrong = examples.filter((e) => e.wrong).length
    for (const [n, what] of [
      [examples.length, 'traces in the native format'],
      [AREAS.mathematics?.length, 'of mathematics'],
      [AREAS.code?.length, 'of code'],
      [wrong, 'of them one step is the first wrong one'],
      [examples.length - wrong, 'every step is right'],
    ])
      expect(readme).toContain(`${n} ${what}`)
  })

  it('are valid, at least 48, each with an id, a problem and a licence of its own', () => {
    expect(traces.length).toBeGreaterThanOrEqual(48)
    for (const trace of traces) expect(Trace.safeParse(trace).error, trace.id).toBeUndefined()
    expect(new Set(traces.map((t) => t.id)).size).toBe(traces.length)
    expect(new Set(traces.map((t) => t.problem.prompt)).size).toBe(traces.length)
    expect(traces.every((t) => t.source.licence === 'MIT' && t.source.dataset === 'gradus-examples')).toBe(true)
  })

  it('have a known first error in about seven of ten, spread over the positions', () => {
    const wrong = examples.flatMap((e) => (e.wrong ? [e.wrong.step] : []))
    expect(wrong.length / examples.length).toBeGreaterThan(0.65)
    expect(wrong.length / examples.length).toBeLessThan(0.78)
    expect(new Set(wrong).size).toBeGreaterThanOrEqual(5)
  })

  it.each(traces.map((t) => [t.id, t] as const))('%s: labels and evidence say the same', (_, trace) => {
    const first = trace.labels?.find((l) => l.meaning === 'first-error')?.value
    const steps = trace.labels?.filter((l) => l.meaning !== 'first-error') ?? []
    expect(steps.map((l) => l.step)).toEqual(trace.steps.map((_, i) => i))
    for (const l of steps) {
      const expected = first === -1 || l.step < (first ?? 0) ? 1 : l.step === first ? 0 : null
      expect(l.value).toBe(expected)
      expect(l.reason).toBe(expected === null ? 'after-first-error' : undefined)
    }
    const noted = trace.evidence?.filter((e) => e.kind === 'human' && e.verdict === 'incorrect') ?? []
    expect(noted.map((e) => e.step)).toEqual(first === -1 ? [] : [first])
    if (first === -1) expect(trace.answer).toBe(trace.problem.answer)
  })
})

describe('steps that are labelled right', () => {
  it.each(examples.map((e) => [e.id, e] as const))('%s: every equation between numbers holds', (_, example) => {
    for (const text of rightTexts(example)) {
      for (const { left, right } of equations(text)) expect(right, text).toBeCloseTo(left, 6)
    }
  })

  it('hold equations to check at all', () => {
    expect(examples.flatMap((e) => rightTexts(e).flatMap(equations)).length).toBeGreaterThan(20)
  })

  const ajv = new Ajv({ strict: true })
  addFormats.default(ajv)
  it.each(AREAS.agents?.map((e) => [e.id, e] as const) ?? [])('%s: calls fit their tools', (_, example) => {
    const tools = (example.context ?? []).flatMap((c) => (c.kind === 'tools' ? c.tools : []))
    traceOf(example)
      .steps.slice(0, example.wrong?.step ?? example.steps.length)
      .forEach(({ action }) => {
        if (!action) return
        const tool = tools.find((t) => t.name === action.tool)
        expect(tool, action.tool).toBeDefined()
        expect(ajv.validate(tool?.parameters as object, action.input), ajv.errorsText()).toBe(true)
      })
  })
})

describe(`programs${python ? '' : ' (Python ones are left out: no python3 here)'}`, () => {
  const runnable = (AREAS.code ?? []).filter((e) => e.domain === 'javascript' || python)
  const programs = runnable.map((example) => {
    const cells = cellsOf(example)
    const right = cells.filter((c) => c.step < (example.wrong?.step ?? Number.POSITIVE_INFINITY))
    const tests = (example.context ?? []).flatMap((c) => (c.kind === 'tests' ? [c.code] : []))
    return {
      example,
      right: right.map((c) => c.code).join('\n'),
      stated: right.flatMap((c) => (c.output === null ? [] : [c.output])).join('\n'),
      tested: [...cells.map((c) => c.code), ...tests].join('\n'),
    }
  })
  const ran = new Map<string, Ran>()
  beforeAll(() => {
    for (const language of ['python', 'javascript'] as const) {
      const all = programs.filter((p) => p.example.domain === language).flatMap((p) => [p.right, p.tested])
      if (all.length > 0) for (const [i, result] of runAll(language, all).entries()) ran.set(all[i] ?? '', result)
    }
  })

  it.each(programs.map((p) => [p.example.id, p] as const))('%s: right steps print what they say', (_, p) => {
    expect(ran.get(p.right)).toEqual({ ok: true, printed: p.stated })
  })

  it.each(programs.filter((p) => p.example.context).map((p) => [p.example.id, p] as const))(
    '%s: passes or fails its tests as its answer says',
    (_, p) => {
      expect(ran.get(p.tested)?.ok).toBe(p.example.final.startsWith('passes'))
    },
  )
})

/** What the steps before the first wrong one say. */
function rightTexts(example: Example): string[] {
  return traceOf(example)
    .steps.slice(0, example.wrong?.step ?? example.steps.length)
    .map((s) => s.text.replaceAll(/```[\s\S]*?```/g, ''))
}

/** `12 * (3 + 4) = 84` in a text, LaTeX fractions read as quotients; evaluated by JavaScript itself. */
function equations(text: string): { left: number; right: number }[] {
  const plain = text.replaceAll(/\\frac\{(\d+)\}\{(\d+)\}/g, '($1/$2)')
  return [...plain.matchAll(/[\d.+*/()^ -]*[\d)] ?(?:= ?[\d.+*/()^ -]*[\d)])+/g)].flatMap(([chain]) => {
    // What follows a letter, as `- 9 = 12` in `3x - 9 = 12`, is half an equation.
    if (/^\s*[-+*/^] /.test(chain)) return []
    const sides = chain.split('=').map((side) => side.trim())
    const values = sides.map((side) => Number(new Function(`return (${side.replaceAll('^', '**')})`)()))
    return values.slice(1).map((right, i) => ({ left: values[i] ?? Number.NaN, right }))
  })
}

function cellsOf(example: Example): { step: number; code: string; output: string | null }[] {
  return traceOf(example).steps.flatMap(({ text }, step) => {
    const block = /```(?:python|javascript)\n([\s\S]*?)\n```(?:\n\nOutput:\n```\n([\s\S]*?)\n```)?/.exec(text)
    return block ? [{ step, code: block[1] ?? '', output: block[2] ?? null }] : []
  })
}

interface Ran {
  ok: boolean
  printed: string
}

const PYTHON = `
import contextlib, io, json, sys
def run(code):
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out): exec(code, {})
        return {'ok': True, 'printed': out.getvalue().strip()}
    except Exception: return {'ok': False, 'printed': out.getvalue().strip()}
print(json.dumps([run(code) for code in json.load(sys.stdin)]))`

const JAVASCRIPT = `
const programs = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
const log = console.log
log(JSON.stringify(programs.map((code) => {
  const lines = []
  console.log = (...words) => lines.push(words.join(' '))
  try { new Function(code)(); return { ok: true, printed: lines.join('\\n') } }
  catch { return { ok: false, printed: lines.join('\\n') } }
})))`

/** Each program by itself, all in one process: starting one takes longer than all of them. */
function runAll(language: 'python' | 'javascript', programs: readonly string[]): Ran[] {
  const [command, args] = language === 'python' ? ['python3', ['-c', PYTHON]] : [process.execPath, ['-e', JAVASCRIPT]]
  const { stdout } = spawnSync(command, args, { input: JSON.stringify(programs), encoding: 'utf8', timeout: 20_000 })
  return JSON.parse(stdout)
}
