import { Fault } from '../fault.ts'
import { HttpClient } from '../http.ts'
import type { Sampler } from '../sampler.ts'

/** The smallest sampler over real HTTP, for tests of the engine alone: one seeded completion a call. */
export function httpSampler(url: string, identity = 'test'): Sampler<string, string> {
  const client = new HttpClient()
  return {
    identity,
    pool: url,
    perCall: () => 1,
    expect: () => ({ promptTokens: 10, completionTokens: 20 }),
    async call(request, samples, signal) {
      const body = JSON.stringify({ prompt: request, seed: samples[0], max_tokens: 20 })
      const reply = await client.call({ method: 'POST', url: new URL(`${url}/completions`), body, signal })
      const text = await reply.text()
      if (reply.status === 429) throw new Fault('GRD-CALL-003')
      if (reply.status !== 200) throw new Fault('GRD-CALL-004', { found: `${reply.status}` })
      const { choices, usage } = JSON.parse(text) as {
        choices: { text: string }[]
        usage: { prompt_tokens: number; completion_tokens: number }
      }
      return {
        values: choices.map((choice) => choice.text),
        usage: { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens },
      }
    },
  }
}
