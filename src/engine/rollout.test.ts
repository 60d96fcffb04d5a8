import { describe, expect, it } from 'vitest'
import { GradusError } from '../core/errors.ts'
import type { Problem, Step } from '../core/words.ts'
import { NO_USAGE } from '../core/words.ts'
import type { ActingEnvironment, OutcomeCheck, StepWriter, Written } from './rollout.ts'
import { rollout, rollouts } from './rollout.ts'

const problem: Problem = { id: 'p', prompt: 'Count to 4.', answer: '4' }
const thought = (text: string): Step => ({ text, kind: 'thought' })
const call = { ...NO_USAGE, calls: 1, completionTokens: 2, seconds: 9 }

/** Counts up from the last step, by 1 + sample; stops at 4 or beyond. */
const counter: StepWriter & { asked: string[] } = {
  name: 'counter',
  identity: 'counter',
  asked: [],
  async next(_, steps, sample) {
    counter.asked.push(`next ${steps.length} ${sample}`)
    const last = Number(steps.at(-1)?.text ?? 0)
    return { ok: true, steps: [thought(String(last + 1 + sample))], end: 'step', usage: call }
  },
  async complete(_, steps, sample) {
    counter.asked.push(`complete ${steps.length} ${sample}`)
    const added: Step[] = []
    for (let n = Number(steps.at(-1)?.text ?? 0); n < 4; ) added.push(thought(String((n += 1 + sample))))
    return { ok: true, steps: added, end: 'stop', usage: call }
  },
}
const check: OutcomeCheck = {
  answerOf: (steps) => (Number(steps.at(-1) ?? 0) >= 4 ? (steps.at(-1) ?? null) : null),
  check: (p, answer) => p.answer === answer,
}

describe('rollout', () => {
  it('goes on from any prefix, and checks the answer', async () => {
    const done = await rollout({ problem, policy: counter, prefix: [thought('1'), thought('2')], verifier: check })
    expect(done).toEqual({
      ok: true,
      end: 'answer',
      trace: {
        id: 'p@2#0',
        problem,
        steps: ['1', '2', '3', '4'].map(thought),
        answer: '4',
        outcome: 1,
        usage: { ...call, seconds: 0 },
        source: { generator: 'counter', dataset: '', licence: 'unknown' },
        extra: { end: 'answer' },
      },
    })
    const wrong = await rollout({ problem, policy: counter, sample: 2, verifier: check })
    expect(wrong.ok && [wrong.trace.id, wrong.trace.answer, wrong.trace.outcome]).toEqual(['p#2', '6', 0])
  })

  it('gives the same steps one by one as in one go', async () => {
    const [whole, stepwise] = await Promise.all(
      [false, true].map((stepwise) => rollout({ problem, policy: counter, verifier: check, stepwise })),
    )
    expect(whole?.ok && stepwise?.ok && whole.trace.steps).toEqual(stepwise?.ok && stepwise.trace.steps)
    expect(stepwise?.ok && stepwise.trace.usage).toEqual({ ...NO_USAGE, calls: 4, completionTokens: 8 })
  })

  it('writes nothing after an answer, beyond the last step allowed, or when nothing comes', async () => {
    counter.asked = []
    const finished = await rollout({ problem, policy: counter, prefix: [thought('4')], verifier: check })
    expect(finished.ok && finished.end).toBe('answer')
    expect(counter.asked).toEqual([])
    const short = await rollout({ problem, policy: counter, verifier: check, stepwise: true, maxSteps: 2 })
    expect(short.ok && [short.end, short.trace.steps.length, short.trace.outcome]).toEqual(['max-steps', 2, 0])
    const silent: StepWriter = { ...counter, next: async () => ({ ok: true, steps: [], end: 'step', usage: call }) }
    const mute = await rollout({ problem, policy: silent, stepwise: true })
    expect(mute.ok && [mute.end, mute.trace.outcome]).toEqual(['stop', undefined])
  })

  it('keeps what was written when a call fails', async () => {
    const failing: StepWriter = {
      ...counter,
      async next(p, steps, sample): Promise<Written> {
        if (steps.length < 2) return counter.next(p, steps, sample)
        return { ok: false, error: new GradusError('GRD-RUN-001'), usage: NO_USAGE }
      },
    }
    const done = await rollout({ problem, policy: failing, stepwise: true })
    expect(done).toMatchObject({ ok: false, error: { code: 'GRD-RUN-001' }, steps: [{ text: '1' }, { text: '2' }] })
  })

  it('draws several in one call where the policy can', async () => {
    const asked: unknown[] = []
    const many: StepWriter = {
      ...counter,
      async completeMany(p, steps, samples) {
        asked.push(samples)
        return Promise.all(
          Array.from({ length: samples.count }, (_, i) => counter.complete(p, steps, samples.from + i)),
        )
      },
    }
    const one = await rollouts({ problem, policy: counter, verifier: check }, { from: 1, count: 3 })
    const together = await rollouts({ problem, policy: many, verifier: check }, { from: 1, count: 3 })
    expect(together).toEqual(one)
    expect(asked).toEqual([{ from: 1, count: 3 }])
  })
})

/** A register that actions add to; the episode ends at 10. */
class Register implements ActingEnvironment<number> {
  value = 0
  async reset() {
    this.value = 0
  }
  async act({ input }: NonNullable<Step['action']>) {
    this.value += Number(input)
    return { observation: String(this.value), done: this.value >= 10, ...(this.value >= 10 && { outcome: 1 }) }
  }
  async snapshot() {
    return this.value
  }
  async restore(state: number) {
    this.value = state
  }
  async close() {}
}
const add = (n: number, observation?: string): Step => ({
  text: `add ${n}`,
  kind: 'action',
  action: { tool: 'add', input: n },
  ...(observation !== undefined && { observation }),
})
const adder: StepWriter = {
  name: 'adder',
  identity: 'adder',
  next: async () => ({ ok: true, steps: [add(3), thought('written without having seen')], end: 'step', usage: call }),
  complete: async () => ({ ok: true, steps: [], end: 'stop', usage: call }),
}

describe('rollout in an environment', () => {
  it('carries out the prefix, then each action before the next step is written', async () => {
    const prefix = [add(2, '2'), thought('good')]
    const done = await rollout({ problem, policy: adder, environment: new Register(), prefix })
    expect(done.ok && done.trace.steps).toEqual([...prefix, add(3, '5'), add(3, '8'), add(3, '11')])
    expect(done.ok && [done.end, done.trace.outcome]).toEqual(['environment', 1])
  })

  it('starts every rollout from the same state', async () => {
    const environment = new Register()
    const both = await rollouts({ problem, policy: adder, environment }, { from: 0, count: 2 })
    expect(both.map((r) => r.ok && r.trace.steps.map((s) => s.observation))).toEqual(
      Array(2).fill(['3', '6', '9', '12']),
    )
  })

  it('refuses a prefix that the environment does not reproduce', async () => {
    const prefix = [add(2, '3')]
    await expect(rollout({ problem, policy: adder, environment: new Register(), prefix })).rejects.toMatchObject({
      code: 'GRD-CORE-001',
      where: { field: 'steps[0].observation' },
    })
  })
})
