/**
 * Score requests a second and their latency, against `gradus serve`'s own application in a process of its own.
 *
 *   node bench/serving.ts [--seconds 20] [--rate 2000] [--connections 32]
 *
 * A request holds one solution of four short steps; the model is a linear head on plain step features (as `gradus train
 * reward --body features` makes it). Requests go out at a fixed rate, whether earlier ones have come back or not, and a
 * latency counts from when the request was due: a server that falls behind shows it. Beside it stand the time that the
 * server itself saw (its `/metrics`), and how late the event loops of both processes were: they tell whose a long
 * latency is, or that neither had the processor.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
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

/** What the server process says of itself. */
interface Look {
  mb: number
  cpuUs: number
  late: string
  pauses: { ms: number; most: number }
}

/** How late timers of this process have been since it was asked to `reset`. */
function lateness(): { reset(): void; text(): string } {
  const RESOLUTION_MS = 1
  const seen = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  seen.enable()
  const ms = (ns: number): string => Math.max(0, ns / 1e6 - RESOLUTION_MS).toFixed(1)
  return {
    reset: () => seen.reset(),
    text: () => `p50 ${ms(seen.percentile(50))}   p99 ${ms(seen.percentile(99))}   most ${ms(seen.max)}`,
  }
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
  const late = lateness()
  const pauses = { ms: 0, most: 0 }
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      pauses.ms += duration
      pauses.most = Math.max(pauses.most, duration)
    }
  }).observe({ entryTypes: ['gc'] })
  process.on('message', (asked) => {
    if (asked === 'begin') {
      late.reset()
      pauses.ms = pauses.most = 0
    }
    const { user, system } = process.cpuUsage()
    const look: Look = { mb: process.memoryUsage.rss() / 2 ** 20, cpuUs: user + system, late: late.text(), pauses }
    process.send?.(look)
  })
  // An end in order, so that a profile of it is written.
  process.on('disconnect', () => process.exit())
}

async function load(seconds: number, rate: number, connections: number): Promise<void> {
  const child = fork(import.meta.filename, ['--server'])
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const look = async (asked: 'begin' | 'look' = 'look'): Promise<Look> => {
    child.send(asked)
    const [told] = (await once(child, 'message')) as [Look]
    return told
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
  const late = lateness()
  const first = await look('begin')
  const before = await answered(port)
  const memory = [first.mb]
  let looks = 1
  let wrong = 0
  let sent = 0
  late.reset()
  const own = process.cpuUsage()
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
    if ((now - began) / 1000 > looks * (seconds / 10)) {
      looks++
      // Not waited for: whatever the server does, requests go out when they are due.
      void look().then(({ mb }) => memory.push(mb))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(under)
  const took = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(own)
  const after = await answered(port)
  const last = await look()
  memory.push(last.mb)
  const of = latencies.length
  const [serverUs, clientUs] = [(last.cpuUs - first.cpuUs) / of, (user + system) / of]
  latencies.sort((x, y) => x - y)
  const ms = Object.fromEntries(
    [50, 90, 99, 99.9, 100].map((q) => [`p${q}`, round(latencies[Math.floor((q / 100) * (of - 1))] ?? Number.NaN)]),
  )
  const within = withinEdges(before, after)
  const perSecond = Math.round(of / took)
  console.log(
    JSON.stringify({ perSecond, asked: rate, seconds, connections, wrong, ms, server: within, serverUs, clientUs }),
  )
  console.log(
    `| scores over HTTP, ${rate.toLocaleString('en-US')} requests/s asked on ${connections} connections | ${perSecond.toLocaleString('en-US')} requests/s, ${wrong} failed | p50 ${ms['p50']} ms, p99 ${ms['p99']} ms (bar 50) | by the server's clock 99 % within ${within.p99} s | ${serverUs.toFixed(0)} us of processor time a request, the client's ${clientUs.toFixed(0)} us |`,
  )
  console.log(`  late, ms    client ${late.text()}   |   server ${last.late}`)
  console.log(`  server GC   ${last.pauses.ms.toFixed(0)} ms in all, longest ${last.pauses.most.toFixed(1)} ms`)
  console.log(`  server MB   ${memory.map((mb) => mb.toFixed(0)).join(' ')}`)
  child.disconnect()
  agent.destroy()
}

/** Requests that the server answered within each edge (seconds), by its own clock. */
type Buckets = readonly { edge: string; count: number }[]

async function answered(port: number): Promise<Buckets> {
  const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const rows = (await metrics.text()).matchAll(/^gradus_request_seconds_bucket\{le="(.+)"\} (\d+)$/gm)
  return Array.from(rows, ([, edge = '', count]) => ({ edge, count: Number(count) }))
}

/** Edges below which half, 99 % and 99.9 % were answered, and how many were above 50 ms. */
function withinEdges(before: Buckets, after: Buckets) {
  const between = after.map(({ edge, count }, i) => ({ edge, count: count - (before[i]?.count ?? 0) }))
  const all = between.at(-1)?.count ?? 0
  const edge = (share: number): string => between.find(({ count }) => count >= share * all)?.edge ?? '+Inf'
  const above50ms = all - (between.find((bucket) => bucket.edge === '0.05')?.count ?? 0)
  return { p50: edge(0.5), p99: edge(0.99), p999: edge(0.999), above50ms, of: all }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
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
