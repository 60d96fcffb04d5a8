import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Engine, type EngineOptions } from '../../engine/engine.ts'
import { startTestServer, type TestServer } from '../../engine/testing/openai-server.ts'
import { openAiCompatible } from '../../models/endpoints/openai-compatible.ts'
import { samplerOf } from '../../models/endpoints/sampler.ts'
import { modelPolicy } from '../../models/policies/policy.ts'
import { chatRenderer } from '../../models/policies/renderer.ts'
import { lines } from '../../models/policies/step-format.ts'
import { arithmeticChain } from '../../worlds/tasks/arithmetic-chain.ts'
import { sampleTraces } from './sample.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-sample-'))
afterAll(() => rmSync(folder, { recursive: true }))
const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

const problems = arithmeticChain.generate('sample-test', 0, 30)

/** A "model" that solves the task, and errs for some seeds. */
async function serve(behave?: (nth: number) => 'drop' | 'answer'): Promise<TestServer> {
  const solutions = new Map(problems.map((p) => [p.prompt, p.solution ?? []]))
  const server = await startTestServer({
    latencyMs: 1,
    text: (body) => {
      const prompt = (body['messages'] as { content: string }[]).at(-1)?.content ?? ''
      const solution = solutions.get(prompt) ?? []
      const errs = (Number(body['seed']) * 7 + prompt.length) % 3 === 0
      return lines.join(errs ? solution.slice(0, -1) : solution)
    },
    behave: (nth) => (behave?.(nth) === 'drop' ? { kind: 'cut', bytes: 20 } : { kind: 'answer' }),
  })
  servers.push(server)
  return server
}

async function sample(server: TestServer, n: number, options: EngineOptions) {
  const engine = new Engine({ retry: { baseMs: 1, capMs: 2, patienceMs: 100 }, ...options })
  const sampler = samplerOf(openAiCompatible({ url: server.url, model: 'test', name: 'the server' }))
  const renderer = chatRenderer({ system: '' })
  const policy = modelPolicy({ name: 'test', engine, sampler, renderer, format: lines, sampling: { seed: 100 } })
  const out: string[] = []
  const source = { dataset: 'arithmetic-chain', licence: 'MIT' }
  for await (const one of sampleTraces(problems, { engine, policy, n, verifier: arithmeticChain, source })) {
    out.push(one.ok ? JSON.stringify(one.trace) : one.error.code)
  }
  const { counts } = engine
  await engine.close()
  return { out, counts }
}

describe('sampled traces', () => {
  it('are checked, carry what they cost, and come in order', async () => {
    const { out } = await sample(await serve(), 4, {})
    const traces = out.map((text) => JSON.parse(text))
    expect(traces.map((t) => t.id)).toEqual(problems.flatMap((p) => [0, 1, 2, 3].map((i) => `${p.id}#${i}`)))
    const right = traces.filter((t) => t.outcome === 1)
    expect(right.length).toBeGreaterThan(0)
    expect(right.length).toBeLessThan(traces.length)
    for (const trace of right) {
      expect(trace.steps.map((s: { text: string }) => s.text)).toEqual(trace.problem.solution)
      expect(trace.usage).toMatchObject({ calls: 1, seconds: 0 })
      expect(trace.usage.completionTokens).toBeGreaterThan(0)
    }
  })

  it('are the same bytes after any number of interruptions, and each is paid for once', async () => {
    const calm = await serve()
    const undisturbed = await sample(calm, 4, {})
    const stormy = await serve((nth) => (nth % 5 === 0 ? 'drop' : 'answer'))
    const path = join(folder, 'run.db')
    let last = await sample(stormy, 4, { path, run: 'r', budget: { calls: 20 } })
    expect(last.out).toContain('GRD-RUN-001')
    for (let calls = 50; calls <= 200; calls += 30)
      last = await sample(stormy, 4, { path, run: 'r', budget: { calls } })
    expect(last.out).toEqual(undisturbed.out)
    expect(stormy.requests).toBe(calm.requests + Math.ceil(stormy.requests / 5))
    const before = stormy.requests
    expect((await sample(stormy, 4, { path, run: 'r' })).out).toEqual(undisturbed.out)
    expect(stormy.requests).toBe(before)
  })

  it('cost only the new ones when more are wanted', async () => {
    const server = await serve()
    const path = join(folder, 'more.db')
    const four = await sample(server, 4, { path })
    const eight = await sample(server, 8, { path })
    expect(eight.counts).toMatchObject({ cached: 120, kept: 120 })
    expect(server.requests).toBe(240)
    expect(eight.out.filter((_, i) => i % 8 < 4)).toEqual(four.out)
  })
})
