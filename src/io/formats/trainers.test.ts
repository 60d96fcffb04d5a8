import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import { detectFormat } from '../read.ts'
import type { At, Format } from './format.ts'
import { mathShepherd } from './math-shepherd.ts'
import { openrlhf } from './openrlhf.ts'
import { prm800k } from './prm800k.ts'
import { trl } from './trl.ts'
import { verl } from './verl.ts'

const at: At = { file: 'rows.jsonl', stem: 'rows', line: 1, odd: () => {}, reject: () => {} }

/** Text without the separators that these formats reserve; a line break inside a step is allowed. */
const text = fc.stringMatching(/^[A-Za-z0-9 +*=.,$\\{}-]{1,30}$/).map((t) => t.trim() || 'x')
const step = fc.oneof(
  text,
  fc.tuple(text, text).map(([a, b]) => `${a}\n${b}`),
)
const value = fc.constantFrom(0, 1)

function trace(
  prompt: string,
  texts: readonly string[],
  values: readonly (number | null)[],
  meaning: 'correctness' | 'value',
): Trace {
  return {
    id: 't',
    problem: { id: 'p', prompt, answer: '7', domain: 'GSM8K' },
    steps: texts.map((t) => ({ text: t, kind: 'thought' })),
    labels: values.map((v, i) => ({
      step: i,
      meaning,
      value: v,
      source: 'test',
      ...(v === null && { reason: 'no-evidence' as const }),
    })),
    source: { generator: 'g', dataset: 'd', licence: 'MIT' },
  }
}

function roundTrip(format: Format, t: Trace): Trace {
  const [record] = format.write?.([t]) ?? []
  expect(
    detectFormat({ path: 'rows.jsonl', container: 'jsonl', records: [record], head: JSON.stringify(record) }, 'rows')
      .name,
  ).toBe(format.name)
  return format.read(JSON.parse(JSON.stringify(record)), at)[0]!
}

const values = (t: Trace): (number | null)[] =>
  (t.labels ?? []).flatMap((l) => (l.meaning === 'first-error' ? [] : [l.value]))

describe("trainers' formats", () => {
  it.each([trl, openrlhf, verl, prm800k, mathShepherd].map((f) => [f.name, f] as const))(
    '%s: steps and labels survive writing and reading',
    (_, format) => {
      const meaning = format === trl || format === prm800k ? 'correctness' : 'value'
      // Math-Shepherd finds the prompt's end by its "Step 1:".
      const dress = (t: string, i: number): string => (format === mathShepherd ? `Step ${i + 1}: ${t}` : t)
      fc.assert(
        fc.property(text, fc.array(fc.tuple(step, value), { minLength: 1, maxLength: 8 }), (prompt, rows) => {
          const t = trace(
            prompt,
            rows.map(([s], i) => dress(s, i)),
            rows.map(([, v]) => v),
            meaning,
          )
          const back = roundTrip(format, t)
          expect(back.steps.map((s) => s.text)).toEqual(t.steps.map((s) => s.text))
          expect(values(back)).toEqual(values(t))
          expect(back.problem.prompt).toBe(prompt)
        }),
      )
    },
  )

  it('soft values stay soft where the format can say so', () => {
    const soft = trace('p', ['a', 'b'], [0.25, 0.75], 'value')
    expect(values(roundTrip(openrlhf, soft))).toEqual([0.25, 0.75])
    expect(values(roundTrip(verl, soft))).toEqual([0.25, 0.75])
  })

  it('cannot-say is never written as right or wrong', () => {
    const half = trace('p', ['a', 'b', 'c'], [1, null, 0], 'correctness')
    expect(roundTrip(trl, half).steps.map((s) => s.text)).toEqual(['a'])
    expect(values(roundTrip(verl, half))).toEqual([1, null, 0])
    expect(() => trl.write?.([trace('p', ['a'], [null], 'correctness')])).toThrow(GradusError)
    expect(() => mathShepherd.write?.([half])).toThrow('GRD-IO-011')
  })

  it('labels that do not match the steps are refused', () => {
    expect(() => trl.read({ prompt: 'p', completions: ['a', 'b'], labels: [true] }, at)).toThrow('GRD-IO-003')
    expect(() => openrlhf.read({ input: 'p\na ки\nb ки', label: ['+'] }, at)).toThrow('GRD-IO-003')
    expect(() => openrlhf.read({ input: 'p\na ки', label: ['maybe'] }, at)).toThrow('GRD-IO-003')
  })
})
