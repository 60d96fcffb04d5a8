import { describe, expect, it } from 'vitest'
import { game24 } from './game24.ts'
import { taskLaws } from './task-laws.ts'

taskLaws(game24)

describe('Game of 24', () => {
  const problem = { id: 'p', prompt: '4 6 1 1' }
  const verdicts = (steps: string[], slip = 0) =>
    game24.oracle(problem, steps, { slip, recovery: 0 }).map((t) => [t.correct, t.value])

  it('a legal move is right in itself; its value says whether 24 is still in reach', () => {
    expect(verdicts(['4*6=24 (left: 24 1 1)', '24*1=24 (left: 24 1)', '24*1=24 (left: 24)', '=((4*6)*1)*1'])).toEqual(
      [1, 1, 1, 1].map((v) => [true, v]),
    )
    expect(verdicts(['1-1=0 (left: 0 4 6)', '0*4=0 (left: 0 6)', '6-0=6 (left: 6)', '=none'])).toEqual([
      [true, 1],
      [true, 0],
      [true, 0],
      [true, 0],
    ])
    expect(verdicts(['4-6=-2 (left: -2 1 1)', '1-(-2)=3 (left: 3 1)'])).toEqual([
      [true, 0],
      [true, 0],
    ])
  })

  it('wrong arithmetic, numbers that are not there and a wrong rest are wrong', () => {
    expect(verdicts(['4*6=25 (left: 25 1 1)'])[0]?.[0]).toBe(false)
    expect(verdicts(['4*7=28 (left: 28 1 1)'])[0]?.[0]).toBe(false)
    expect(verdicts(['4*6=24 (left: 24 1)'])[0]?.[0]).toBe(false)
    expect(verdicts(['4/0=1 (left: 1 1 1)'])[0]?.[0]).toBe(false)
  })

  it('the order of what is left does not matter', () => {
    expect(verdicts(['4*6=24 (left: 1 24 1)'])).toEqual([[true, 1]])
  })

  it('checks expressions by exact fractions and by their numbers', () => {
    const eights = { id: 'q', prompt: '3 3 8 8' }
    expect(game24.check(eights, '8/(3-8/3)')).toBe(true)
    expect(game24.check(eights, '8/(3-8/3) = 24')).toBe(true)
    for (const wrong of ['3*8', '3*8*(8/8)', '24', 'none', '8/(3-8/3', '8/(3-3)', '((', '3*8+8-8*1']) {
      expect(game24.check(eights, wrong)).toBe(false)
    }
    expect(game24.check({ id: 'r', prompt: '1 1 1 1' }, 'none')).toBe(true)
  })

  it('agrees with the known count of solvable puzzles, and knows which need a fraction', () => {
    const reach = (left: readonly number[]): boolean =>
      left.length === 1
        ? left[0] === 24
        : left.some((a, i) =>
            left.some((b, j) => {
              if (i === j) return false
              const rest = left.filter((_, k) => k !== i && k !== j)
              const results = [a + b, a - b, a * b, ...(b !== 0 && a % b === 0 ? [a / b] : [])]
              return results.some((result) => reach([result, ...rest]))
            }),
          )
    let solvable = 0
    const needFractions = new Set<string>()
    for (let a = 1; a <= 13; a++)
      for (let b = a; b <= 13; b++)
        for (let c = b; c <= 13; c++)
          for (let d = c; d <= 13; d++) {
            if (game24.check({ id: 'x', prompt: `${a} ${b} ${c} ${d}` }, 'none')) continue
            solvable++
            if (!reach([a, b, c, d])) needFractions.add(`${a} ${b} ${c} ${d}`)
          }
    // 1,362 of 1,820: the figure that is published for the card game
    expect(solvable).toBe(1_362)
    const made = game24.generate('all', 3, 300).map((p) =>
      p.prompt
        .split(' ')
        .map(Number)
        .sort((x, y) => x - y)
        .join(' '),
    )
    expect(new Set(made)).toEqual(needFractions)
  })

  it('finds ways through fractions', () => {
    const steps = ['8/3=8/3 (left: 8/3 3 8)', '3-(8/3)=1/3 (left: 1/3 8)', '8/(1/3)=24 (left: 24)', '=8/(3-(8/3))']
    const truths = game24.oracle({ id: 'q', prompt: '3 3 8 8' }, steps, { slip: 0.1, recovery: 0 })
    expect(truths.every((t) => t.correct)).toBe(true)
    expect(truths[0]?.value).toBeCloseTo(0.9 ** 3, 12)
  })
})
