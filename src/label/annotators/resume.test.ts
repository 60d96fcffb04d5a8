import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import type { Trace } from '../../core/words.ts'
import { Engine, type EngineOptions } from '../../engine/engine.ts'
import { startTestServer, type TestServer } from '../../engine/testing/openai-server.ts'
import { openAiCompatible } from '../../models/endpoints/openai-compatible.ts'
import { samplerOf } from '../../models/endpoints/sampler.ts'
import { modelPolicy } from '../../models/policies/policy.ts'
import { textRenderer } from '../../models/policies/renderer.ts'
import { lines } from '../../models/policies/step-format.ts'
import { arithmeticChain as task } from '../../worlds/tasks/arithmetic-chain.ts'
import type { Annotator } from './annotator.ts'
import { firstErrorLocator } from './first-error-locator.ts'
import { monteCarlo } from './monte-carlo.ts'
import { omegaprm } from './omegaprm.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-resume-'))
afterAll(() => rmSync(folder, { recursive: true }))
const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

const [problem] = task.generate('resume', 3, 1)
if (!problem) throw new Error('no problem')
const steps = task.inject(problem, 'copy', 3, 'x')?.steps ?? []
const trace: Trace = {
  id: 't',
  problem,
  steps: steps.map((text) => ({ text, kind: 'thought' })),
  source: { generator: '', dataset: '', licence: 'MIT' },
}

/** A server whose model is the task's completer; the seed of a request names the sample. */
async function serve(): Promise<TestServer> {
  const server = await startTestServer({
    text: (body) => {
      const shown = String(body['prompt'])
        .split('\n')
        .slice(1)
        .filter((line) => line !== '')
      return lines.join(task.complete(trace.problem, shown, random(`${body['seed']}/${shown.join()}`), { slip: 0.1 }))
    },
  })
  servers.push(server)
  return server
}

async function annotate(annotator: Annotator, server: TestServer, options: EngineOptions) {
  const engine = new Engine(options)
  const sampler = samplerOf(openAiCompatible({ url: server.url, model: 'test', name: 'the server' }))
  const policy = modelPolicy({
    name: 'completer',
    engine,
    sampler,
    renderer: textRenderer(),
    format: lines,
    sampling: { seed: 7 },
  })
  const context = { policy, check: task, seed: '0', allowCode: false, allowLocalExec: false, spend: () => {} }
  try {
    return JSON.stringify(await annotator.annotate(trace, context))
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    await engine.close()
  }
}

describe('rollouts over an endpoint', () => {
  it.each([monteCarlo, omegaprm, firstErrorLocator])(
    'of $name are paid for once, and a run that ended early gives the same evidence when resumed',
    async (annotator) => {
      const calm = await serve()
      const undisturbed = await annotate(annotator, calm, {})
      expect(undisturbed).toContain('"trials":')
      const server = await serve()
      const path = join(folder, `${annotator.name}.db`)
      expect(await annotate(annotator, server, { path, run: 'r', budget: { calls: 11 } })).toBe('GRD-RUN-001')
      expect(server.requests).toBe(11)
      expect(await annotate(annotator, server, { path, run: 'r' })).toBe(undisturbed)
      expect(server.requests).toBe(calm.requests)
    },
  )
})
