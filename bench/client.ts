/**
 * How close the engine comes to what a server can give: 100 ms latency, fixed slots, server in a process of its own.
 *
 * `node bench/client.ts` prints wall time over ideal and client CPU after the first 1,000 calls, for 64 and 256 slots,
 * then the speed of a repeat from the cache. `node bench/client.ts refuse` uses a server that answers 429 beyond its
 * slots and lets the client find the limit from 4 times as many.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine } from '../src/engine/engine.ts'
import { openAiCompatible } from '../src/models/endpoints/openai-compatible.ts'
import { samplerOf } from '../src/models/endpoints/sampler.ts'

const LATENCY_MS = 100
const WARM_UP = 1000
const CASES = [
  { slots: 64, calls: 4_000, bar: 1.05 },
  { slots: 256, calls: 20_000, bar: 1.1 },
]

const [mode = 'queue', slotsGiven = '0'] = process.argv.slice(2)
if (mode === 'server') serve(Number(slotsGiven), process.argv[4] === 'refuse')
else for (const one of CASES) await measure(one)

/** As light as a server can be, so that it is not what is measured. */
function serve(slots: number, refuses: boolean): void {
  const answer = JSON.stringify({
    choices: [
      { index: 0, message: { role: 'assistant', content: 'A step of the answer. '.repeat(10) }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 200, completion_tokens: 60 },
  })
  let working = 0
  const waiting: (() => void)[] = []
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      if (refuses && working >= slots) return void response.writeHead(429).end('{}')
      const work = (): void => {
        working++
        setTimeout(() => {
          working--
          response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
          waiting.shift()?.()
        }, LATENCY_MS)
      }
      if (working < slots) work()
      else waiting.push(work)
    })
  })
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
}

async function measure({ slots, calls, bar }: (typeof CASES)[number]): Promise<void> {
  const child = spawn(process.execPath, [import.meta.filename, 'server', String(slots), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data).trim())))
  const folder = mkdtempSync(join(tmpdir(), 'gradus-bench-'))
  try {
    const sampler = samplerOf(openAiCompatible({ url: `http://127.0.0.1:${port}/v1`, model: 'bench' }))
    const path = join(folder, 'run.db')
    const content = 'A question of eight hundred characters. '.repeat(20)
    const request = (seed: number) => ({ api: 'chat' as const, messages: [{ role: 'user' as const, content }], seed })
    const jobs = Array.from({ length: calls }, (_, i) => i)

    const engine = new Engine({ path, run: 'bench', concurrency: mode === 'refuse' ? 4 * slots : slots })
    let done = 0
    let at = 0
    let cpu = process.cpuUsage()
    for await (const _ of engine.each(jobs, (job) => engine.sample(sampler, request(job)))) {
      if (++done !== WARM_UP) continue
      at = performance.now()
      cpu = process.cpuUsage()
    }
    const seconds = (performance.now() - at) / 1000
    const used = process.cpuUsage(cpu)
    const cores = (used.user + used.system) / 1e6 / seconds
    const ideal = ((calls - WARM_UP) / slots) * (LATENCY_MS / 1000)
    const { retries } = engine.counts
    await engine.close()

    const repeat = new Engine({ path, run: 'bench' })
    const began = performance.now()
    for await (const _ of repeat.each(jobs, (job) => repeat.sample(sampler, request(job)))) void _
    const cached = calls / ((performance.now() - began) / 1000)
    const sent = repeat.counts.requests
    await repeat.close()
    console.log(
      `${slots} slots   ${calls.toLocaleString('en-US')} calls   wall/ideal ${(seconds / ideal).toFixed(3)} (bar ${bar})   ` +
        `client CPU ${cores.toFixed(2)} cores (bar 1)   ${retries} retries   ` +
        `repeat ${Math.round(cached).toLocaleString('en-US')} samples/s (bar 20,000), ${sent} requests`,
    )
  } finally {
    child.kill()
    rmSync(folder, { recursive: true })
  }
}
