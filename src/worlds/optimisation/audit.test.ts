import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { type Audit, audit, prepare } from './audit.ts'
import { modelsDiffer } from './enumerate.ts'
import { rewrite } from './flaws.ts'
import type { Model } from './model.ts'
import { plain } from './model.ts'
import { readNl4opt } from './nl4opt.ts'
import { readModel } from './read-model.ts'
import { readSum } from './read-sum.ts'
import { highs } from './solve.ts'
import { randomModels, study } from './study.ts'

const solver = await highs()
const options = { variants: 5, seed: 'test' }

function model(...lines: string[]): Model {
  const reading = readModel(lines.map((text) => ({ text })))
  if (!reading.ok) throw new Error(reading.why)
  return reading.read.model
}

const DIET = ['min 2x + 3y', 'x + y >= 4', 'x <= 3', 'x, y integer'] as const
const diet = prepare(model(...DIET), solver, options)
const judged = (...lines: string[]): Audit => audit(diet, model(...lines), solver)

describe('audit', () => {
  it.each<[string, Audit['verdict'], number | string, string[]]>([
    ['the same', 'equivalent', 9, [...DIET]],
    ['scaled, renamed, reordered', 'equivalent', 9, ['min 3b + 2a', 'a <= 3', '2b + 2a >= 8', 'b, a integer']],
    ['a maximum of the opposite', 'equivalent', 9, ['max -2x - 3y', '-x - y <= -4', 'x <= 3', 'x, y integer']],
    ['what follows from two clauses added', 'equivalent', 9, [...DIET, 'y >= 1']],
    ['a constraint dropped', 'flawed', 8, ['min 2x + 3y', 'x + y >= 4', 'x, y integer']],
    ['another constant', 'flawed', 12, ['min 2x + 3y', 'x + y >= 5', 'x <= 3', 'x, y integer']],
    ['whole numbers forgotten, same optimum', 'flawed', 9, ['min 2x + 3y', 'x + y >= 4', 'x <= 3']],
    ['the sense turned', 'flawed', 0, ['min 2x + 3y', 'x + y <= 4', 'x <= 3', 'x, y integer']],
    ['max for min', 'flawed', 'unbounded', ['max 2x + 3y', 'x + y >= 4', 'x <= 3', 'x, y integer']],
    ['an objective in other units', 'undecided', 900, ['min 200x + 300y', ...DIET.slice(1)]],
  ])('%s: %s', (_, verdict, optimum, lines) => {
    const result = judged(...lines)
    expect(result).toMatchObject({ verdict, reason: expect.any(String) })
    expect(result.optima[0]).toEqual({ reference: 9, candidate: optimum })
    expect(result.optima).toHaveLength(6)
  })

  it('catches a constraint that the given data never needs, and shows the point that it lets through', () => {
    const reference = prepare(model('max 3x + 2y', 'x + y <= 10', 'x <= 8', 'x + 3y <= 33', 'y <= 9'), solver, options)
    const result = audit(reference, model('max 3x + 2y', 'x + y <= 10', 'x <= 8', 'y <= 9'), solver)
    expect(result).toMatchObject({ verdict: 'flawed', sameOptimum: true })
    expect(result.differences[0]).toMatchObject({ kind: 'missing', says: 'x + 3 y <= 33 is missing' })
    expect(result.differences[0]?.variant).toBeGreaterThan(0)
  })

  it.each([
    ['other variables', ['min 2x', 'x >= 4'], /1 variables, the reference 2/],
    ['nothing of the sort', ['max q + r + s'], /3 variables, the reference 2/],
  ])('abstains with a reason: %s', (_, lines, why) => {
    expect(judged(...lines)).toMatchObject({ verdict: 'undecided', reason: expect.stringMatching(why) })
  })

  it('abstains where the reference has no solution', () => {
    const none = prepare(model('min x + y', 'x + y >= 4', 'x + y <= 3'), solver, options)
    expect(audit(none, model('min x + y', 'x + y >= 4'), solver)).toMatchObject({ verdict: 'undecided' })
  })

  it('tells infeasible from unbounded, whole variables or not', () => {
    for (const whole of [[], ['x, y integer']]) {
      expect(solver.solve(plain(model('max x + y', 'x - y >= 4', ...whole))).status).toBe('unbounded')
      expect(solver.solve(plain(model('max x + y', 'x >= 4', 'x <= 3', ...whole))).status).toBe('infeasible')
    }
  })
})

describe('audit of random models against enumeration', () => {
  const models = randomModels(4, 'audit-test', solver)

  it('whole optima are those of a complete listing', () => {
    for (const m of models.filter((x) => x.variables.every((v) => v.integer))) {
      const solved = solver.solve(plain(m))
      const better = { ...m, constraints: [...m.constraints] }
      const value = solved.status === 'optimal' ? (m.sense === 'min' ? 1 : -1) * solved.value : Number.NaN
      const relation = m.sense === 'min' ? '<=' : '>='
      const gap = m.sense === 'min' ? -0.5 : 0.5
      // Objectives are whole: asking for half a unit better must leave nothing, for the optimum itself something.
      better.constraints.push({ terms: m.objective.terms, relation, constant: value + gap })
      const none = { ...m, constraints: [{ terms: {}, relation: '<=' as const, constant: -1 }] }
      expect(modelsDiffer(none, better)).toBe(false)
      better.constraints[better.constraints.length - 1] = { terms: m.objective.terms, relation, constant: value }
      expect(modelsDiffer(none, better)).toBe(true)
    }
  })

  it('flags what enumeration says differs, and no rewrite', () => {
    const cases = study(models, solver, options)
    for (const c of cases.filter((x) => x.kind === 'rewrite')) expect(c.verdict).toBe('equivalent')
    const wrong = cases.filter((c) => c.differs)
    expect(wrong.length).toBeGreaterThan(25)
    expect(wrong.filter((c) => c.verdict === 'flawed').length / wrong.length).toBeGreaterThanOrEqual(0.95)
    for (const c of cases) if (!c.differs) expect(c.verdict).toBe('equivalent')
  })
})

describe('reading a model', () => {
  it('reads the LP format, chained bounds and sections', () => {
    const text =
      'Maximize\n obj: 50 rickshaws + 30 carts\nSubject To\n c1: 10 rickshaws + 8 carts <= 200\n rickshaws - carts <= 0\nBounds\n 2 <= carts <= 15\nGeneral\n rickshaws carts\nEnd'
    const prose = model(
      'maximise 50*rickshaws + 30*carts',
      'money: 200 ≥ 10 rickshaws + 8 carts',
      '- rickshaws ≤ carts',
      '2 <= carts <= 15',
      'rickshaws and carts are integers',
    )
    expect(audit(prepare(model(text), solver, options), prose, solver).verdict).toBe('equivalent')
    const [a, b] = model(text).variables
    expect([a, b]).toEqual([
      { name: 'rickshaws', lower: 0, upper: null, integer: true },
      { name: 'carts', lower: 2, upper: null, integer: true },
    ])
  })

  it.each([
    ['x, y integer', [true, true]],
    ['x is an integer', [true, false]],
    ['x and y must be whole numbers', [true, true]],
    ['All variables are integers', [true, true]],
    ['int y', [false, true]],
    ['The goods are whole', [false, false]],
  ])('reads who is whole: %s', (line, whole) => {
    expect(model('min 2x + 3y', 'x + y >= 4', line).variables.map((v) => v.integer)).toEqual(whole)
  })

  it('never loses a constraint that it cannot read', () => {
    const reading = readModel([{ text: 'min 2x + 3y' }, { text: 'x*y >= 4' }, { text: 'x <= 3' }])
    expect(reading).toMatchObject({ ok: false, step: 1 })
    expect(readModel([{ text: 'min 2x + 3y' }, { text: 'surely x, or so, is an integer' }])).toMatchObject({
      ok: false,
    })
  })

  it('reads sums by the rules of arithmetic', () => {
    const numbers = fc.integer({ min: -50, max: 50 })
    fc.assert(
      fc.property(numbers, numbers, numbers, numbers, numbers, (a, b, c, x, y) => {
        const sum = readSum(`${a} x - 2*(${b} y - x) + ${c}/2`)
        const at = (sum?.terms.get('x') ?? 0) * x + (sum?.terms.get('y') ?? 0) * y + (sum?.constant ?? 0)
        expect(at).toBeCloseTo(a * x - 2 * (b * y - x) + c / 2, 6)
      }),
    )
  })

  it('ends on any text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => typeof readModel([{ text }]).ok === 'boolean'))
  })
})

const unless = noData('nl4opt') ? ' (GRADUS_DATA is not set)' : ''
describe.skipIf(unless !== '')(`NL4OPT${unless}`, () => {
  const rows = unless === '' ? readRows() : []

  it('reads the annotations of nearly all problems as models', () => {
    const read = rows.map(readNl4opt)
    expect([rows.length, read.filter((r) => r.ok).length]).toEqual([388, 378])
    expect(read[0]).toMatchObject({ ok: true })
  })

  it('flags no rewrite of a real model', () => {
    const models = rows
      .slice(0, 20)
      .map(readNl4opt)
      .flatMap((r) => (r.ok ? [r.model] : []))
    const verdicts = models.map((m, i) => {
      const candidate = rewrite(m, random(`nl4opt-test/${i}`))
      return audit(prepare(m, solver, options), candidate, solver).verdict
    })
    expect(verdicts).not.toContain('flawed')
    expect(verdicts.filter((v) => v === 'equivalent').length).toBeGreaterThanOrEqual(18)
  })
})

function readRows(): unknown[] {
  return ['dev', 'test'].flatMap((part) =>
    gunzipSync(readFileSync(dataFile('nl4opt', `${part}.jsonl.gz`)))
      .toString('utf8')
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
  )
}
