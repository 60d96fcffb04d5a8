/**
 * What labelling costs beside the model: monte-carlo and omegaprm against a loopback server (a process of its own) that
 * answers every call after 100 ms. Wall time is compared with that of the bare calls, made by the same HTTP client and
 * engine as fast as the same limit allows; the client's processor time is set against the run and against the time that
 * the model took for all calls.
 *
 *   node bench/orchestration.ts [calls under way, default 64]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { bind, labelEach } from '../src/apps/pipeline/label.ts'
import type { Trace } from '../src/core/words.ts'
import { Engine } from '../src/engine/engine.ts'
import type { Annotator } from '../src/label/annotators/annotator.ts'
import { monteCarlo } from '../src/label/annotators/monte-carlo.ts'
import { omegaprm } from '../src/label/annotators/omegaprm.ts'
import { hard } from '../src/label/rules/hard.ts'
import { openAiCompatible } from '../src/models/endpoints/openai-compatible.ts'
import { samplerOf } from '../src/models/endpoints/sampler.ts'
import { modelPolicy } from '../src/models/policies/policy.ts'
import { textRenderer } from '../src/models/policies/renderer.ts'
import { lines } from '../src/models/policies/step-format.ts'
import { arithmeticChain as task } from '../src/worlds/tasks/arithmetic-chain.ts'

const LATENCY_MS = 100
const TRACES = 120
const concurrency = Number(process.argv[2] ?? 64)

if (process.argv[2] === 'serve') {
  const { startTestServer } = await import('../src/engine/testing/openai-server.ts')
  const server = await startTestServer({ latencyMs: LATENCY_MS, text: () => '1+1=2\n=2\n' })
  process.stdout.write(`${server.url}\n`)
} else {
  const child = spawn(process.execPath, [import.meta.filename, 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = (await once(child.stdout, 'data')).map((data: Buffer) => data.toString().trim())
  // Connections and compiled code are there before anything is measured.
  await measured('warm-up', url ?? '', bind(monteCarlo, { k: 1 }))
  const rows = [
    await measured('monte-carlo, k = 8', url ?? '', bind(monteCarlo, { k: 8 })),
    await measured('omegaprm, k = 8', url ?? '', bind(omegaprm, { k: 8 })),
  ]
  child.kill('SIGTERM')
  console.log(
    `| ${concurrency} calls under way, ${LATENCY_MS} ms each | calls | wall s | bare calls s | overhead | client CPU | CPU of model time |`,
  )
  console.log('|---|---:|---:|---:|---:|---:|---:|')
  for (const row of rows) {
    const overhead = `${(100 * (row.wall / row.bare - 1)).toFixed(1)} %`
    const cpu = `${(100 * (row.cpu / row.wall)).toFixed(0)} % of a core`
    const share = `${((100_000 * row.cpu) / (row.calls * LATENCY_MS)).toFixed(2)} %`
    console.log(
      `| ${row.name} | ${row.calls} | ${row.wall.toFixed(2)} | ${row.bare.toFixed(2)} | ${overhead} | ${cpu} | ${share} |`,
    )
  }
}

function policyOf(engine: Engine, url: string) {
  const sampler = samplerOf(openAiCompatible({ url, model: 'bench' }))
  return modelPolicy({ name: 'bench', engine, sampler, renderer: textRenderer(), format: lines, sampling: { seed: 1 } })
}

/** Labelling, then as many bare calls with the same limit. */
async function measured(name: string, url: string, annotator: Annotator) {
  const engine = new Engine({ concurrency })
  const context = {
    policy: policyOf(engine, url),
    check: task,
    seed: '0',
    allowCode: false,
    allowLocalExec: false,
    spend: () => {},
  }
  const before = process.cpuUsage()
  const start = performance.now()
  const rule = { rule: hard, options: hard.options.parse({}) }
  for await (const one of labelEach(traces(), { annotators: [annotator], context, rule, engine })) {
    if (!one.ok) throw one.error
  }
  const wall = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(before)
  const calls = engine.counts.requests
  await engine.close()

  const bareEngine = new Engine({ concurrency })
  const bare = policyOf(bareEngine, url)
  const begun = performance.now()
  const problem = traces()[0]?.problem
  if (problem) await bare.completeMany?.(problem, [], { from: 0, count: calls })
  const bareWall = (performance.now() - begun) / 1000
  await bareEngine.close()
  return { name, calls, wall, bare: bareWall, cpu: (user + system) / 1e6 }
}

function traces(): Trace[] {
  return task.generate('bench', 3, TRACES).map((problem) => ({
    id: problem.id,
    problem,
    steps: (task.inject(problem, 'result', 3, 'bench')?.steps ?? []).map((text) => ({ text, kind: 'thought' })),
    source: { generator: 'bench', dataset: 'bench', licence: 'MIT' },
  }))
}
