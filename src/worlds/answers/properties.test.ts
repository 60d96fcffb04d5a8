import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { processorSeconds } from '../../testing/processor-time.ts'
import { equal } from './equal.ts'
import { generatePairs } from './generate-pairs.ts'

const R = String.raw
const PIECES =
  R`\frac { } ( ) [ ] , ; \sqrt ^ _ ! % $ \pm \{ \} x y e i \pi 12 0.5 1,234 \cup \infty = < \text{ cm } \sin \ln | - + / * : \begin{pmatrix} & \\ \end{pmatrix} \boxed{ \overline or and \circ 9999999999 cm dollars`.split(
    ' ',
  )

describe('equal', () => {
  it('never says equal for a generated pair that differs, and misses hardly any that is equal', () => {
    const counts = { falseEqual: 0, falseDifferent: 0, unknown: 0, equalPairs: 0 }
    for (const { a, b, truth } of generatePairs('test', 1_000)) {
      const { verdict } = equal(a, b)
      if (truth === 'equal') counts.equalPairs++
      if (verdict === 'unknown') counts.unknown++
      else if (verdict !== truth) counts[truth === 'equal' ? 'falseDifferent' : 'falseEqual']++
    }
    console.log('generated pairs', JSON.stringify(counts))
    expect(counts.falseEqual).toBe(0)
    expect(counts.falseDifferent / counts.equalPairs).toBeLessThanOrEqual(0.03)
    expect(counts.unknown).toBeLessThanOrEqual(20)
  })

  it('is symmetric on generated pairs, and an answer equals itself', () => {
    for (const { a, b } of generatePairs('symmetry', 300)) {
      expect(equal(a, b).verdict).toBe(equal(b, a).verdict)
      expect(equal(a, ` ${a} `).verdict).toBe('equal')
    }
  })

  it('never throws, whatever it is given, and ends soon', () => {
    const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 25 }).map((p) => p.join(' '))
    fc.assert(
      fc.property(text, text, (a, b) => {
        const verdict = equal(a, b)
        expect(['equal', 'different', 'unknown']).toContain(verdict.verdict)
        expect(equal(b, a).verdict).toBe(verdict.verdict)
      }),
      { numRuns: 1_000 },
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.string(), (a, b) => void equal(a, b)),
      { numRuns: 200 },
    )
  })

  it.each([
    ['brackets', '('.repeat(2_000), ')'.repeat(2_000)],
    ['digits', '9'.repeat(4_000), '8'.repeat(4_000)],
    ['towers', `2${'^9'.repeat(500)}`, `2${'^8'.repeat(500)}`],
    ['factorials', '1/4999!+'.repeat(400).concat('1'), '1/4998!+'.repeat(400).concat('1')],
    ['quotients', Array.from({ length: 300 }, (_, i) => `1/(x+${i})`).join('+'), 'x'],
    ['products', '(x+y+z+1)'.repeat(200), '(x+y+z+2)'.repeat(200)],
    ['sines', R`\sin `.repeat(600).concat('x'), R`\cos `.repeat(600).concat('x')],
    ['signs', '-'.repeat(3_999).concat('1'), '1'],
    [
      'lists',
      Array.from({ length: 60 }, (_, i) => R`\sin(${i}+x)`).join(','),
      Array.from({ length: 60 }, (_, i) => R`\sin(${i}+y)`).join(','),
    ],
    ['roots', R`\sqrt{4999!+1}+\sqrt[3]{4998!+1}`, '1'],
    ['spaces', ' '.repeat(3_999).concat('1'), '2'],
    ['units', 'cm '.repeat(1_300), '5 '.repeat(1_900)],
  ])('ends within two seconds on hostile %s', (_, a, b) => {
    expect(processorSeconds(() => equal(a, b))).toBeLessThan(2)
  })

  it('takes a tolerance where asked', () => {
    expect(equal('0.333', '1/3').verdict).toBe('different')
    expect(equal('0.333', '1/3', { tolerance: 0.01 })).toMatchObject({ verdict: 'equal', method: 'tolerance' })
    expect(equal('0.3', '1/3', { tolerance: 0.01 }).verdict).toBe('different')
  })
})
