import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../core/seeds.ts'
import { half } from '../core/split.ts'
import { dataFile, noData } from '../testing/data.ts'
import { arithmeticChain } from '../worlds/tasks/arithmetic-chain.ts'
import { registerProgram } from '../worlds/tasks/register-program.ts'
import { type Aligned, align } from './alignment.ts'
import { canonical, factsOf, leavesOf, parse, valueOfExpr } from './facts.ts'

const verdicts = (aligned: readonly Aligned[]) => aligned.map((a) => a.verdict)
const clips = 'Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May.'
const clipsReference = ['48/2=24', '48+24=72']

describe('calculations of a step', () => {
  const stated = (text: string) => factsOf(text).map((f) => f.text)

  it('are read from marks, plain text, LaTeX and registers', () => {
    expect(stated('She eats 3 + 4 = <<3+4=7>>7 meals.')).toEqual(['3 + 4 = 7'])
    expect(stated('She has 3 apples + 4 apples = 7 apples.')).toEqual(['3 + 4 = 7'])
    expect(stated('He pays $1,200 x 2 = $2,400.')).toEqual(['1200 * 2 = 2400'])
    expect(stated('\\(\\frac{6}{3} \\times 4 = 8\\)')).toEqual(['(6 / 3) * 4 = 8'])
    expect(stated('20% * 50 = 10')).toEqual(['0.2 * 50 = 10'])
    expect(stated('a=5+7=12')).toEqual(['a = 5 + 7 = 12'])
    expect(stated('b=7')).toEqual(['b = 7'])
    expect(['=82', 'A: 82', '#### 82', 'The answer is $82.'].flatMap(stated)).toEqual(['82', '82', '82', '82'])
  })

  it('are not read out of algebra, dates or unfinished sums', () => {
    for (const text of ['6s - 4 = 116', 's + 5s - 4*2 = 116', 'from 1990-1995', 'so 3 + = 4', '', '2 + 2', '7 = 7']) {
      expect(stated(text), text).toEqual([])
    }
  })

  it('never throw, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => factsOf(text).length >= 0))
    const soup = fc.string({ unit: fc.constantFrom(...'0123456789+-*/()=.,% x$<>A:#') })
    fc.assert(fc.property(soup, (text) => factsOf(text).every((f) => typeof f.value === 'number')))
  })

  it('do not depend on the order of terms and factors', () => {
    const expression = fc.array(fc.tuple(fc.constantFrom('+', '-'), fc.integer({ min: 1, max: 99 })), { minLength: 2 })
    fc.assert(
      fc.property(expression, fc.string(), (terms, seed) => {
        const text = (all: typeof terms) => `0${all.map(([sign, n]) => sign + n).join('')}`
        const [a, b] = [parse(text(terms)), parse(text(random(seed).shuffle(terms)))]
        if (a === null || b === null) throw new Error('not read')
        expect(canonical(a)).toBe(canonical(b))
        expect(valueOfExpr(a)).toBe(valueOfExpr(b))
        expect(leavesOf(a).length).toBe(terms.length + 1)
      }),
    )
    expect(canonical(parse('8/2') ?? parse('0')!)).not.toBe(canonical(parse('2/8') ?? parse('0')!))
  })
})

describe('alignment', () => {
  it('finds a step whatever the order of its terms, and abstains on what the reference does not have', () => {
    const aligned = align(clips, [clipsReference], ['24+48=72', '48*2=96'])
    expect(aligned.map((a) => [a.reference, a.verdict])).toEqual([
      [1, 'correct'],
      [null, 'unknown'],
    ])
    expect(aligned[1]?.reason).toBe('unaligned; 48 * 2 = 96 holds')
  })

  it('calls a step wrong only for contradicting the reference, by its result or by the place of its value', () => {
    expect(verdicts(align(clips, [clipsReference], ['48/2=26', '48+26=74', 'A: 74']))).toEqual([
      'incorrect',
      'correct',
      'correct',
    ])
    const [first, second] = align(clips, [clipsReference], ['48*2=96', '48+96=144', 'A: 144'])
    expect([first?.verdict, first?.reference, second?.verdict]).toEqual(['incorrect', 0, 'correct'])
    expect(first?.reason).toBe('48 * 2 = 96, and step 1 puts it where the reference has 24 (reference step 0)')
    expect(verdicts(align(clips, [clipsReference], ['48+7=56']))).toEqual(['unknown'])
  })

  it('takes another route as right once it reaches a value of the reference, not before', () => {
    const prompt = '17+28-9+46'
    const reference = ['17+28=45', '45-9=36', '36+46=82', '=82']
    const detour = ['28-9=19', '17+19=36', '36+46=82', '=82']
    expect(verdicts(align(prompt, [reference], detour))).toEqual(['correct', 'correct', 'correct', 'correct'])
    expect(verdicts(align(prompt, [reference], detour.slice(0, 1)))).toEqual(['unknown'])
    expect(verdicts(align(prompt, [reference], detour.slice(0, 1), { fallback: true }))).toEqual(['correct'])
    const slipped = ['28-9=18', '17+18=35', '35+46=81', '=81']
    expect(verdicts(align(prompt, [reference], slipped.slice(0, 2)))).toEqual(['unknown', 'unknown'])
    expect(verdicts(align(prompt, [reference], slipped.slice(0, 2), { fallback: true }))[0]).toBe('incorrect')
    // the third step shows that the second has a wrong value, and only the first is visibly at fault
    expect(verdicts(align(prompt, [reference], slipped))).toEqual(['incorrect', 'unknown', 'correct', 'correct'])
    const sign = ['28+9=37', '17+37=54', '54+46=100', '=100']
    expect(verdicts(align(prompt, [reference], sign)).slice(0, 2)).toEqual(['unknown', 'unknown'])
    // the same calculation of another reference aligns at once
    expect(verdicts(align(prompt, [reference, detour], slipped))[0]).toBe('incorrect')
  })

  it('lets steps come in any order that the dependencies allow', () => {
    const prompt = 'Pens cost 3 dollars and he buys 5. Books cost 11 dollars and he buys 4.'
    const reference = ['5*3=15', '4*11=44', '15+44=59', '#### 59']
    for (const order of [[1, 0, 2, 3]]) {
      const steps = order.map((i) => reference[i] ?? '')
      expect(align(prompt, [reference], steps).map((a) => a.reference)).toEqual(order)
      expect(verdicts(align(prompt, [reference], steps))).toEqual(['correct', 'correct', 'correct', 'correct'])
    }
    expect(verdicts(align(prompt, [reference], ['5*3+4*11=59', 'A: 59']))).toEqual(['correct', 'correct'])
  })

  it('does not hold an unusual route against a solution that comes to the answer of the reference', () => {
    const prompt = 'A farm lays 252 eggs a day and sells them for $2 a dozen. How much does it make in a week?'
    const reference = ['252*7=1764', '1764/12=147', '147*2=294', 'A: 294']
    expect(verdicts(align(prompt, [reference], ['252/12=21', '21*2=42', '42*7=294', 'A: 294']))).not.toContain(
      'incorrect',
    )
  })

  it('abstains on a trace without numbers and without references', () => {
    expect(verdicts(align(clips, [clipsReference], ['Let us think.', '']))).toEqual(['unknown', 'unknown'])
    expect(verdicts(align(clips, [], ['48/2=24']))).toEqual(['unknown'])
    expect(align(clips, [clipsReference], [])).toEqual([])
  })

  /** Verdicts up to the first error of injected solutions, against the exact truth. */
  function onInjected(task: typeof arithmeticChain, level: number) {
    const count = { rightCalledWrong: 0, wrong: 0, found: 0, wrongCalledRight: 0, clean: 0, cleanCalledWrong: 0 }
    for (const problem of task.generate('alignment', level, 60)) {
      const reference = problem.solution ?? []
      count.clean++
      if (align(problem.prompt, [reference], reference).some((a) => a.verdict !== 'correct')) count.cleanCalledWrong++
      for (const kind of task.errorKinds) {
        for (let step = 0; step < reference.length; step++) {
          const injected = task.inject(problem, kind, step, 'a')
          if (injected === null) continue
          const aligned = align(problem.prompt, [reference], injected.steps)
          const before = aligned.slice(0, step)
          if (before.some((a) => a.verdict === 'incorrect')) count.rightCalledWrong++
          count.wrong++
          if (aligned[step]?.verdict === 'incorrect') count.found++
          if (aligned[step]?.verdict === 'correct') count.wrongCalledRight++
        }
      }
    }
    return count
  }

  it('finds injected errors of chains and never blames a step before them', () => {
    const seen = onInjected(arithmeticChain, 3)
    expect([seen.cleanCalledWrong, seen.rightCalledWrong]).toEqual([0, 0])
    expect(seen.found / seen.wrong).toBeGreaterThan(0.95)
    expect(seen.wrongCalledRight / seen.wrong).toBeLessThan(0.02)
  })

  it('does so on register programs, where names are overwritten, and abstains more', () => {
    const seen = onInjected(registerProgram, 3)
    expect([seen.cleanCalledWrong, seen.rightCalledWrong]).toEqual([0, 0])
    expect(seen.found / seen.wrong).toBeGreaterThan(0.7)
    expect(seen.wrongCalledRight / seen.wrong).toBeLessThan(0.05)
  })

  describe.skipIf(noData('gsm8k'))('on solutions of GSM8K by real models (skipped where the data is absent)', () => {
    it('hardly ever contradicts a solution with a right answer, and locates an error in many with a wrong one', () => {
      const file = dataFile('gsm8k', 'example_model_solutions.jsonl.gz')
      const linesOf = (text: string) => text.split('\n').filter((line) => line.trim() !== '')
      const rows = linesOf(gunzipSync(readFileSync(file)).toString()).map((line) => JSON.parse(line))
      const count = { right: 0, contradicted: 0, covered: 0, wrong: 0, located: 0 }
      for (const row of rows.filter((r) => half(r.question) === 'tune')) {
        for (const name of ['6b_finetuning', '6b_verification', '175b_finetuning', '175b_verification']) {
          const { is_correct: right, solution } = row[name]
          const aligned = align(row.question, [linesOf(row.ground_truth)], linesOf(solution), { fallback: true })
          const strict = align(row.question, [linesOf(row.ground_truth)], linesOf(solution))
          const contradicts = strict.some((a) => a.verdict === 'incorrect')
          count[right ? 'right' : 'wrong']++
          if (right && contradicts) count.contradicted++
          if (right && aligned.every((a) => a.verdict === 'correct')) count.covered++
          if (!right && contradicts) count.located++
        }
      }
      expect(count.contradicted / count.right).toBeLessThan(0.01)
      expect(count.covered / count.right).toBeGreaterThan(0.85)
      expect(count.located / count.wrong).toBeGreaterThan(0.5)
    })
  })
})
