/**
 * Score requests a second and their latency, against `gradus serve`'s own application in a process of its own.
 *
 *   node bench/serving.ts [--seconds 20] [--rate 2000] [--connections 32]
 *
 * A request holds one solution of four short steps; the model is a linear head on plain step features (as `gradus train
 * reward --body features` makes it). Requests go out at a fixed rate, whether earlier ones have come back or not, and a
 * latency counts from when the request was due: a server that falls behind shows it.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { serve } from '@hono/node-server'
import { serverApp } from '../src/apps/server/root.ts'
import { ScoreService } from '../src/apps/server/score-service.ts'
import { random } from '../src/core/seeds.ts'
import type { Step, StepLabel, Trace } from '../src/core/words.ts'
import { splitterNamed } from '../src/io/steps/resplit.ts'
import { stepFeatures } from '../src/models/rewards/bodies/step-features.ts'
import type { RewardModel } from '../src/models/rewards/reward.ts'
import { trainReward } from '../src/models/rewards/train-reward.ts'
import { arithmeticChain } from '../src/worlds/tasks/arithmetic-chain.ts'

const TOKEN = 'bench'

/** Logistic regression on plain step features, learnt from exactly labelled chains as `gradus train reward` would. */
async function linear(): Promise<RewardModel> {
  const draw = random('bench/serving/traces')
  const traces = arithmeticChain.generate('bench/serving', 0, 200).map((problem): Trace => {
    const texts = arithmeticChain.complete(problem, [], draw, { slip: 0.2, recovery: 0 })
    const labels = arithmeticChain.oracle(problem, texts).map(({ correct }, step): StepLabel => {
      return { step, meaning: 'correctness', value: Number(correct), source: 'exact' }
    })
    const steps = texts.map((text): Step => ({ text, kind: 'thought' }))
    return { id: problem.id, problem, steps, labels, source: { generator: '', dataset: '', licence: 'MIT' } }
  })
  return (await trainReward({ traces, kind: 'process', body: stepFeatures(traces) })).model
}

async function server(): Promise<void> {
  const app = serverApp({
    models: [],
    token: TOKEN,
    reading: { splitter: splitterNamed('paragraph') },
    scores: new ScoreService(await linear(), { batch: true }),
  })
  const listening = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  await once(listening, 'listening')
  process.send?.({ port: (listening.address() as AddressInfo).port })
  process.on('message', () => process.send?.({ rss: process.memoryUsage.rss(), cpu: process.cpuUsage() }))
}

async function load(seconds: number, rate: number, connections: number): Promise<void> {
  const child = fork(import.meta.filename, ['--server'])
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const look = async (): Promise<{ mb: number; seconds: number }> => {
    child.send('look')
    const [told] = (await once(child, 'message')) as [{ rss: number; cpu: NodeJS.CpuUsage }]
    return { mb: told.rss / 1024 / 1024, seconds: (told.cpu.user + told.cpu.system) / 1e6 }
  }
  const draw = random('bench/serving')
  const bodies = Array.from({ length: 200 }, () => {
    const steps = Array.from(
      { length: 4 },
      () => `We have ${draw.below(100)} + ${draw.below(100)} = ${draw.below(200)}.`,
    )
    return JSON.stringify({ query: [`Count.\n${steps.join('\n\n')}`], prompts: ['Count.\n'] })
  })
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
  const ask = (body: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const asked = request(
        {
          port,
          path: '/get_reward',
          method: 'POST',
          agent,
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        },
        (answer) => {
          answer.resume()
          answer.on('end', () => resolve(answer.statusCode ?? 0))
        },
      )
      asked.on('error', reject)
      asked.end(body)
    })
  for (let i = 0; i < 500; i++) await ask(bodies[i % bodies.length]!)

  const latencies: number[] = []
  const first = await look()
  const memory = [first.mb]
  let wrong = 0
  let sent = 0
  const began = performance.now()
  const total = seconds * rate
  const under: Promise<void>[] = []
  while (sent < total) {
    const now = performance.now()
    for (const due = ((now - began) / 1000) * rate; sent < Math.min(due, total); sent++) {
      const at = began + (sent / rate) * 1000
      const one = ask(bodies[sent % bodies.length]!).then((status) => {
        if (status !== 200) wrong++
        latencies.push(performance.now() - at)
      })
      if (under.length > 10_000) await Promise.all(under.splice(0, 5_000))
      under.push(one)
    }
    if ((now - began) / 1000 > memory.length * (seconds / 10)) memory.push((await look()).mb)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(under)
  const took = (performance.now() - began) / 1000
  const last = await look()
  memory.push(last.mb)
  const each = ((last.seconds - first.seconds) / latencies.length) * 1e6
  latencies.sort((a, b) => a - b)
  const at = (q: number): string => (latencies[Math.floor(q * (latencies.length - 1))] ?? Number.NaN).toFixed(1)
  console.log(
    `  ${(latencies.length / took).toFixed(0)} requests/s of ${rate} asked, ${seconds} s, ${connections} connections, ${wrong} refused or failed`,
  )
  console.log(`  latency ms   p50 ${at(0.5)}   p90 ${at(0.9)}   p99 ${at(0.99)}   p99.9 ${at(0.999)}   most ${at(1)}`)
  console.log(
    `  server CPU   ${each.toFixed(0)} us a request, so at most ${(1e6 / each).toFixed(0)} requests/s on one core of its own`,
  )
  console.log(`  server MB    ${memory.map((m) => m.toFixed(0)).join(' ')}`)
  child.kill()
  agent.destroy()
}

const { values } = parseArgs({
  options: {
    server: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '32' },
  },
})
if (values.server) await server()
else await load(Number(values.seconds), Number(values.rate), Number(values.connections))
