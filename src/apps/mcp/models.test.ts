import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { TestServer } from '../../engine/testing/openai-server.ts'
import { startSumJudge } from '../../models/rewards/testing/sum-judge.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { connect } from './testing/client.ts'

// Processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 60_000 })

const RUN = { problem: 'Add.', steps: ['2 + 3 = 5', '5 + 4 = 8'] }

let judge: TestServer
beforeAll(async () => {
  judge = await startSumJudge()
})
afterAll(async () => await judge.close())

describe('a server that was started with a judge', () => {
  it('asks it where nothing else is said, says that it does, and stops at its budget', async () => {
    const { client, log } = await connect(['--judge', `${judge.url}#sums`, '--budget-calls', '24'])
    try {
      expect(log()).toContain(`sends problems and steps to ${new URL(judge.url).host}`)
      const { tools } = await client.listTools()
      expect(tools.map((t) => [t.name, t.annotations?.openWorldHint])).toEqual([
        ['find_first_error', true],
        ['equal_answers', false],
        ['inspect_traces', false],
        ['list_methods', false],
      ])
      const ask = async (args: object) =>
        await client.callTool({ name: 'find_first_error', arguments: { ...RUN, ...args } })
      expect((await ask({})).structuredContent).toMatchObject({
        firstError: 1,
        reason: 'reward:judge: 5 + 4 = 8 does not hold',
        annotators: [{ name: 'reward:judge', decided: 2, silent: 0 }],
      })
      const both = (await ask({ with: ['arithmetic', 'reward:judge'] })).structuredContent
      expect(both).toMatchObject({
        firstError: 1,
        annotators: [{ name: 'verifier:arithmetic' }, { name: 'reward:judge' }],
      })
      const asked = await Promise.all(
        Array.from({ length: 30 }, (_, i) => ask({ problem: `Add, for the ${i}th time.` })),
      )
      const refused = asked.filter((a) => a.isError)
      expect(refused.length).toBeGreaterThan(0)
      expect(asked.length - refused.length).toBeGreaterThan(0)
      for (const { structuredContent } of refused) {
        expect(structuredContent).toMatchObject({ error: { code: 'GRD-RUN-001' } })
      }
      // The budget is the judge's: tools go on.
      expect((await ask({ with: ['arithmetic'] })).structuredContent).toMatchObject({ firstError: 1 })
    } finally {
      await client.close()
    }
  })

  it('says that it failed where the judge fails, and gives no verdict for it', async () => {
    const { client } = await connect(['--judge', `${judge.url}#sums`])
    try {
      await judge.close()
      const { structuredContent, isError } = await client.callTool({ name: 'find_first_error', arguments: RUN })
      expect(isError).not.toBe(true)
      expect(structuredContent).toMatchObject({
        firstError: null,
        problems: [expect.stringContaining('GRD-CALL-001')],
      })
    } finally {
      await client.close()
      judge = await startSumJudge()
    }
  })
})

describe('a server that was started with a reward model', () => {
  it('scores steps as the model does, here by the exact oracle of a task', async () => {
    const { client } = await connect(['--reward', 'oracle', '--with', 'arithmetic'])
    try {
      const [problem] = arithmeticChain.generate('mcp', 1, 1)
      const steps = (problem?.solution ?? []).map((text) => ({ text, kind: 'thought' as const }))
      const wrong = steps.map((step, i) => (i === 1 ? { ...step, text: step.text.replace(/\d+$/, '9999') } : step))
      const source = { generator: '', dataset: 'mcp', licence: 'MIT' }
      for (const [given, right] of [
        [steps, true],
        [wrong, false],
      ] as const) {
        const truths = arithmeticChain.oracle(
          problem!,
          given.map((step) => step.text),
        )
        const trace = { id: 'chain', problem, steps: given, source }
        const { structuredContent } = await client.callTool({ name: 'score_steps', arguments: { trace } })
        const { scores, aggregates } = structuredContent as { scores: number[]; aggregates: { min: number } }
        expect(scores.map((s) => s > 0.5)).toEqual(truths.map((t) => t.correct))
        expect(truths.every((t) => t.correct)).toBe(right)
        expect(aggregates.min).toBe(Math.min(...scores))
      }
      // --with names the annotators of calls that name none.
      const { structuredContent } = await client.callTool({ name: 'find_first_error', arguments: RUN })
      expect(structuredContent).toMatchObject({ firstError: 1, annotators: [{ name: 'verifier:arithmetic' }] })
    } finally {
      await client.close()
    }
  })
})
