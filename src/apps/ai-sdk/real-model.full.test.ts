import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { type ServerType, serve } from '@hono/node-server'
import { generateText, wrapLanguageModel } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { afterEach, describe, expect, it } from 'vitest'
import { loadEmbedded } from '../../models/policies/embedded/index.ts'
import { lines } from '../../models/policies/step-format.ts'
import { oracleReward } from '../../models/rewards/oracle.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { servedEmbedded } from '../server/model.ts'
import { openaiApp } from '../server/openai.ts'
import { bestOfN } from './index.ts'

let server: ServerType | undefined
afterEach(() => {
  server?.close()
  server = undefined
})

describe('best of n as middleware', () => {
  it('makes a real model right more often: the embedded policy over its own wire', { timeout: 60_000 }, async () => {
    const token = 'test-token'
    server = serve({
      fetch: openaiApp([servedEmbedded('chains', await loadEmbedded('chains'))], token).fetch,
      hostname: '127.0.0.1',
      port: 0,
    })
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`
    const model = new MockLanguageModelV4({
      async doGenerate({ prompt, seed, temperature }) {
        const messages = prompt.map(({ role, content }) => ({
          role,
          content: typeof content === 'string' ? content : content.map((p) => ('text' in p ? p.text : '')).join(''),
        }))
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
        const answer = await fetch(url, {
          method: 'POST',
          headers,
          body: JSON.stringify({ model: 'chains', messages, seed, temperature }),
        })
        const body = (await answer.json()) as { choices: { message: { content: string } }[] }
        return {
          content: [{ type: 'text', text: body.choices[0]?.message.content ?? '' }],
          finishReason: { unified: 'stop', raw: undefined },
          usage: {
            inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
            outputTokens: { total: 1, text: 1, reasoning: undefined },
          },
          warnings: [],
        }
      },
    })
    const truth = oracleReward()
    const reward: RewardModel = {
      ...truth,
      score: (all) =>
        truth.score(all.map((line) => ({ ...line, problem: { ...line.problem, domain: arithmeticChain.name } }))),
    }
    const answerOf = (steps: readonly { text: string }[]) => arithmeticChain.answerOf(steps.map((step) => step.text))
    const problems = arithmeticChain.generate('ai-sdk', 1, 10)
    const rightOf = async (wrapped: LanguageModelV4): Promise<number> => {
      const answers = await Promise.all(
        problems.map(({ prompt }) => generateText({ model: wrapped, prompt, seed: 3, temperature: 1 })),
      )
      return answers.filter((a, i) =>
        arithmeticChain.check(problems[i]!, arithmeticChain.answerOf(a.text.split('\n')) ?? ''),
      ).length
    }
    const alone = await rightOf(model)
    const best = await rightOf(
      wrapLanguageModel({ model, middleware: bestOfN({ n: 6, reward, format: lines, answerOf, same: Object.is }) }),
    )
    expect(best).toBeGreaterThan(alone)
  })
})
