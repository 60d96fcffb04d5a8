import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { random } from '../../core/seeds.ts'
import type { Problem } from '../../core/words.ts'
import type { CompleterOptions, Task } from './task.ts'

const textLength = (problem: Problem): number => [problem.prompt, ...(problem.solution ?? []), ''].join('\n').length

/** Share of completions that end right. */
function simulate(task: Task, problem: Problem, prefix: string[], options: CompleterOptions, n: number): number {
  const rng = random(`simulate/${problem.id}/${prefix.length}`)
  let right = 0
  for (let i = 0; i < n; i++) {
    const answer = task.answerOf([...prefix, ...task.complete(problem, prefix, rng, options)])
    if (answer !== null && task.check(problem, answer)) right++
  }
  return right / n
}

/** What must hold for every task; each task's test calls this and adds examples of its own. */
export function taskLaws(task: Task, runs = 25, simulations = 1_000): void {
  const anyProblem = fc
    .record({ seed: fc.string({ maxLength: 6 }), level: fc.nat(task.levels.length - 1) })
    .map(({ seed, level }) => task.generate(seed, level, 1)[0]!)

  describe(`${task.name} keeps the laws of tasks`, () => {
    it('generates solutions that are right in every step, end right and are as short as stated', () => {
      expect(task.maxLength).toHaveLength(task.levels.length)
      task.levels.forEach((_, level) => {
        for (const problem of task.generate('laws', level, runs)) {
          const solution = problem.solution ?? []
          expect(task.oracle(problem, solution).every((truth) => truth.correct)).toBe(true)
          expect(task.answerOf(solution)).toBe(problem.answer)
          expect(task.check(problem, problem.answer ?? '')).toBe(true)
          expect(task.oracle(problem, solution).at(-1)).toEqual({ correct: true, value: 1 })
          expect(textLength(problem)).toBeLessThanOrEqual(task.maxLength[level]!)
          // one line a step, so that a text splits back into its steps
          for (const step of solution) expect(step).not.toContain('\n')
        }
      })
    })

    it('gives the same bytes for the same seed, problem i whatever n', () => {
      task.levels.forEach((_, level) => {
        const five = task.generate('a', level, 5)
        expect(JSON.stringify(task.generate('a', level, 5))).toBe(JSON.stringify(five))
        expect(task.generate('a', level, 3)).toEqual(five.slice(0, 3))
        expect(task.generate('b', level, 5)).not.toEqual(five)
      })
      expect(() => task.generate('a', task.levels.length, 1)).toThrow(GradusError)
    })

    it('finds every injected error, of each kind at each position, exactly where it was put', () => {
      const seen = new Set<string>()
      task.levels.forEach((_, level) => {
        for (const problem of task.generate('inject', level, 2)) {
          const length = problem.solution?.length ?? 0
          for (const kind of task.errorKinds) {
            for (let step = 0; step < length; step++) {
              const injected = task.inject(problem, kind, step, 'x')
              if (injected === null) continue
              seen.add(kind)
              expect(injected.steps.slice(0, step)).toEqual(problem.solution?.slice(0, step))
              const truths = task.oracle(problem, injected.steps)
              expect(truths.findIndex((truth) => !truth.correct)).toBe(step)
              // only the last step may answer
              expect(task.answerOf(injected.steps.slice(0, -1))).toBeNull()
              // what follows is consistent with the error
              expect(truths.filter((truth) => !truth.correct)).toHaveLength(1)
            }
          }
          expect(task.inject(problem, 'no such kind', 0, 'x')).toBeNull()
          expect(task.inject(problem, task.errorKinds[0]!, length, 'x')).toBeNull()
        }
      })
      expect([...seen].sort()).toEqual([...task.errorKinds].sort())
    })

    it('completes any prefix rightly when it never slips and the prefix is right', () => {
      fc.assert(
        fc.property(anyProblem, fc.nat(40), (problem, cut) => {
          const solution = problem.solution ?? []
          const prefix = solution.slice(0, cut)
          expect(task.complete(problem, prefix, random('c'), { slip: 0, recovery: 0 })).toEqual(solution.slice(cut))
        }),
        { numRuns: runs },
      )
    })

    it('values agree with simulated completions within four standard errors', () => {
      const options = { slip: 0.2, recovery: 0.6 }
      task.levels.forEach((_, level) => {
        const problem = task.generate('values', level, 1)[0]!
        const solution = problem.solution ?? []
        const wrongFirst = task.errorKinds.map((kind) => task.inject(problem, kind, 0, 'v')?.steps ?? [])
        const prefixes = [solution.slice(0, 1), ...wrongFirst.flatMap((s) => [s.slice(0, 1), s.slice(0, 2)])]
        prefixes.push(['', ...solution.slice(0, 1)], [...solution.slice(0, 1), `fix ${solution[0]}`])
        // what the completer itself leaves behind: errors, repairs, wrong repairs
        const rng = random(`prefixes/${level}`)
        for (const cut of [2, 3, 4]) {
          prefixes.push(task.complete(problem, [], rng, { slip: 0.5, recovery: 0.5 }).slice(0, cut))
        }
        for (const prefix of prefixes.filter((p) => p.length > 0)) {
          const value = task.oracle(problem, prefix, options).at(-1)?.value ?? Number.NaN
          const n = Math.ceil(simulations / (task.levels.length * prefixes.length))
          const share = simulate(task, problem, prefix, options, n)
          // the half covers the steps of a share of n
          const error = Math.sqrt((value * (1 - value)) / n)
          expect(Math.abs(share - value)).toBeLessThanOrEqual(4 * error + (error === 0 ? 1e-9 : 0.5 / n))
        }
      })
    })

    it('never throws on garbage, and garbage is wrong', () => {
      fc.assert(
        fc.property(anyProblem, fc.array(fc.string()), fc.string(), fc.nat(20), (problem, garbage, answer, cut) => {
          const mangled = (problem.solution ?? []).map((step, i) =>
            i % 2 === 0 ? step.slice(0, cut) : `${step} ${cut}`,
          )
          for (const steps of [garbage, [...garbage, ...mangled], garbage.map((g) => `fix ${g}`)]) {
            const truths = task.oracle(problem, steps)
            expect(truths).toHaveLength(steps.length)
            for (const { value } of truths) expect(value === null || (value >= 0 && value <= 1)).toBe(true)
            task.complete(problem, steps, random('g'))
          }
          expect(task.oracle(problem, ['', 'I am not sure.', 'fix'])).toMatchObject([
            { correct: false },
            { correct: false },
            { correct: false },
          ])
          task.check(problem, answer)
        }),
        { numRuns: runs },
      )
    })

    it('refuses options out of range with a code', () => {
      const problem = task.generate('options', 0, 1)[0]!
      expect(() => task.oracle(problem, [], { slip: 1 })).toThrow(/GRD-CLI-002/)
      expect(() => task.complete(problem, [], random('o'), { recovery: -1 })).toThrow(/GRD-CLI-002/)
    })

    it('refuses a problem of another task with a code', () => {
      const foreign: Problem = { id: 'x', prompt: 'What is the meaning of life?' }
      expect(() => task.oracle(foreign, [])).toThrow(/GRD-WORLD-001/)
      expect(() => task.check(foreign, '42')).toThrow(/GRD-WORLD-001/)
    })
  })
}
