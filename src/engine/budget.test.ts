import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../core/seeds.ts'
import { NO_USAGE } from '../core/words.ts'
import { Budget } from './budget.ts'

describe('budget', () => {
  it('is never exceeded when no call costs more than expected, and no call is refused that fits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 500 }),
        fc.string(),
        async (calls, tokens, name) => {
          const draw = random(name)
          const budget = new Budget({ calls, tokens })
          let sent = 0
          await Promise.all(
            Array.from({ length: 60 }, async () => {
              try {
                const reservation = await budget.reserve({ promptTokens: 10, completionTokens: 10 })
                sent++
                await Promise.resolve()
                reservation.settle({
                  ...NO_USAGE,
                  calls: 1,
                  promptTokens: draw.below(11),
                  completionTokens: draw.below(11),
                })
              } catch {
                expect(budget.exhausted?.code).toBe('GRD-RUN-001')
              }
            }),
          )
          const { spent } = budget
          expect(spent.calls).toBe(sent)
          expect(sent).toBeLessThanOrEqual(calls)
          expect(spent.promptTokens + spent.completionTokens).toBeLessThanOrEqual(tokens)
          if (!budget.exhausted) expect(sent).toBe(60)
          else expect(sent === calls || spent.promptTokens + spent.completionTokens + 20 > tokens).toBe(true)
        },
      ),
    )
  })

  it('waits for running calls instead of ending early', async () => {
    const budget = new Budget({ tokens: 30 })
    const first = await budget.reserve({ promptTokens: 20 })
    let second: unknown = 'waiting'
    const later = budget.reserve({ promptTokens: 20 }).then((reservation) => (second = reservation))
    await Promise.resolve()
    expect(second).toBe('waiting')
    first.settle({ ...NO_USAGE, calls: 1, promptTokens: 5 })
    await later
    expect(budget.exhausted).toBeUndefined()
  })

  it('counts money, and what earlier sessions spent', async () => {
    const budget = new Budget({ cost: 1 }, { ...NO_USAGE, calls: 3, cost: 0.9 })
    await expect(budget.reserve({ cost: 0.2 })).rejects.toMatchObject({
      code: 'GRD-RUN-001',
      found: '$0.9000 spent, and the next call may need $0.2000',
      expected: 'at most $1.0000',
    })
    const roomy = new Budget({ cost: 1 }, { ...NO_USAGE, cost: 0.5 })
    ;(await roomy.reserve({ cost: 0.2 })).settle({ ...NO_USAGE, cost: 0.25 })
    expect(roomy.spent.cost).toBeCloseTo(0.75)
  })

  it('refuses a limit that lets nothing through', () => {
    expect(() => new Budget({ calls: 0 })).toThrow('GRD-CLI-002')
    expect(() => new Budget({ cost: Number.NaN })).toThrow('GRD-CLI-002')
  })
})
