import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Evidence, Trace } from '../../core/words.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { probeLevels } from '../../worlds/sandbox/index.ts'
import type { AnnotateContext } from './annotator.ts'
import { lineSamples, mutation } from './mutation.ts'

const isolated = (await probeLevels()).some((l) => l.available && l.isolating && l.languages.includes('python'))
const unless = isolated ? '' : ' (no isolating level runs Python here)'
const context: AnnotateContext = { allowCode: true, allowLocalExec: false, seed: 'test', spend: () => {} }

function traceOf(steps: readonly string[], tests: string): Trace {
  return {
    id: 't',
    problem: { id: 'p', prompt: '', context: [{ kind: 'tests', language: 'python', code: tests }] },
    steps: steps.map((text) => ({ text, kind: 'action' })),
    source: { generator: 'reference', dataset: 'mbpp', licence: 'MIT' },
  }
}

const LINES = [
  'def largest(xs):\n',
  '    best = xs[0]\n',
  '    for x in xs:\n',
  '        if x > best:\n',
  '            best = x\n',
  '    if len(xs) > 99:\n',
  '        best = None\n',
  '    return best\n',
]
const TESTS = 'assert largest([3, 5, 4]) == 5\nassert largest([7]) == 7'

const verdicts = (evidence: readonly Evidence[]): string[] =>
  evidence.map((e) => (e.kind === 'tool' ? `${e.step} ${e.verdict}` : e.kind))

describe.skipIf(!isolated)(`mutation${unless}`, () => {
  it('says right of statements that the tests depend on, and nothing of those that they never run', async () => {
    const evidence = await mutation.annotate(traceOf(LINES, TESTS), context)
    expect(verdicts(evidence)).toEqual([
      '1 correct',
      '2 correct',
      '3 correct',
      '4 correct',
      '5 correct',
      '6 unknown',
      '7 correct',
    ])
    expect(evidence.every((e) => e.kind === 'tool' && e.level !== undefined && e.level !== 'local')).toBe(true)
  })

  it('labels candidates by what execution says: mutants that pass stay right, an endless loop is wrong', async () => {
    const code = 'def half(n):\n    k = 0\n    while k * 2 < n:\n        k += 1\n    return k\n'
    const trace = traceOf([`\`\`\`python\n${code}\`\`\``], 'assert half(8) == 4\nassert half(6) == 3')
    const samples = lineSamples(trace, await mutation.annotate(trace, context))
    const said = new Map(
      samples.map((s) => [
        s.steps.at(-1)?.text.trim(),
        s.evidence?.map((e) => (e.kind === 'tool' ? e.verdict : ''))[0],
      ]),
    )
    expect(said.get('k += 1')).toBe('correct')
    expect(said.get('k = k + 1')).toBe('correct')
    expect(said.get('k -= 1')).toBe('incorrect')
    expect(said.get('while k * 2 <= n:')).toBe('incorrect')
    expect(said.get('k = 1')).toBe('correct')
    for (const { steps } of samples) expect(steps[0]?.text).toMatch(/^def half/)
  })

  it.each([
    ['comments and blank lines', LINES.map((line) => `# about ${line}\n${line}`)],
    ['one step', [LINES.join('')]],
    ['Windows line ends', LINES.map((line) => line.replace('\n', '\r\n'))],
  ])('%s change no verdict', async (_, steps) => {
    const evidence = await mutation.annotate(traceOf(steps, TESTS), context)
    expect(verdicts(evidence).map((v) => v.split(' ')[1])).toEqual(
      Array(5).fill('correct').concat('unknown', 'correct'),
    )
  })

  it.each([
    ['the program fails its tests', 'def f():\n    return 1\n', 'assert f() == 2', /AssertionError: assert f\(\) == 2/],
    ['the program does not parse', 'def f(:\n    return 1\n', 'assert f() == 2', /does not parse/],
    ['the program never ends', 'def f():\n    while True: pass\n', 'f()', /did not end/],
    [
      'nothing passes when the program leaves early',
      'import os\nos._exit(0)\n',
      'assert False',
      /ended the interpreter/,
    ],
  ])('abstains where %s', async (_, code, tests, why) => {
    const evidence = await mutation.annotate(traceOf([code], tests), context)
    expect(evidence).toHaveLength(1)
    expect(evidence[0]).toMatchObject({ verdict: 'unknown', reason: expect.stringMatching(why) })
  })

  it('runs nothing where code may not run', async () => {
    const evidence = await mutation.annotate(traceOf(LINES, TESTS), { ...context, allowCode: false })
    expect(evidence[0]).toMatchObject({ verdict: 'unknown', reason: 'cannot say: code may not run here' })
  })
})

const withData = isolated && !noData('mbpp')
describe.skipIf(!withData)(
  `mutation on reference solutions${withData ? '' : ' (needs GRADUS_DATA and a sandbox)'}`,
  () => {
    it('MBPP: refactorings of a dozen solutions stay right, mutations are noticed', async () => {
      const rows: { gold: string; tests: string[]; test_setup_code: string }[] = JSON.parse(
        gunzipSync(readFileSync(dataFile('mbpp/ic_mbpp.json.gz'))).toString('utf8'),
      )
      const tally = { refactored: 0, kept: 0, mutated: 0, noticed: 0 }
      for (const row of rows.slice(0, 12)) {
        const trace = traceOf([row.gold], [row.test_setup_code, ...row.tests].join('\n'))
        for (const e of await mutation.annotate(trace, context)) {
          const detail = e.kind === 'tool' ? e.detail : undefined
          const candidates =
            (detail as { candidates?: { kind: string; outcome: string }[] } | undefined)?.candidates ?? []
          for (const c of candidates) {
            if (c.kind === 'refactoring') {
              tally.refactored++
              if (c.outcome === 'passed') tally.kept++
            } else {
              tally.mutated++
              if (c.outcome !== 'passed') tally.noticed++
            }
          }
        }
      }
      expect(tally.refactored).toBeGreaterThan(30)
      expect(tally.kept).toBe(tally.refactored)
      expect(tally.noticed / tally.mutated).toBeGreaterThan(0.6)
    })
  },
)
