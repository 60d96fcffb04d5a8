import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { jobStatus } from '../../engine/distributed/catalogue.ts'
import { openDatabase } from '../../engine/distributed/database.ts'
import { passHeartbeats } from '../../engine/testing/many.ts'
import type { TestServer } from '../../engine/testing/openai-server.ts'
import { startSumJudge } from '../../models/rewards/testing/sum-judge.ts'
import { startChainServer } from './testing/chain-server.ts'
import { manyMachines } from './testing/many-machines.ts'
import { callVerb, runGradus, startGradus } from './testing/run-gradus.ts'
import { run } from './verbs/run.ts'

const { folder, path, bytes, url, many } = manyMachines()

const FILES = ['traces.jsonl', 'labelled.jsonl', 'candidates-tune.jsonl', 'candidates-0.jsonl', 'figures.json']
/** Requests for samples with how often each was sent; probes are left out. */
const sampled = (server: TestServer): [string, number][] =>
  [...server.seen].filter(([body]) => body.includes('"prompt"') && /\d[+*-]\d/.test(body))

const settings = (server: TestServer): string => `
policy: ${server.url}#test
task: arithmetic-chain:1
annotators: [monte-carlo:k=3, arithmetic]
numbers: { train: 16, trainSamples: 3, tune: 6, report: 6, reportSamples: 4, seeds: 1 }
beam: { k: 4, beam: 2 }
`

async function asked(server: TestServer, requests: number): Promise<void> {
  for (const started = performance.now(); server.requests < requests; ) {
    if (performance.now() - started > 60_000) throw new Error(`${server.requests} of ${requests} requests`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('docs/many-machines.md', () => {
  it('has a run that runs as written, with the figures of a plain one', async () => {
    const page = readFileSync(new URL('../../../docs/many-machines.md', import.meta.url), 'utf8')
    const line = /^gradus (run .*pglite.*)$/m.exec(page)?.[1] ?? ''
    const ran = await runGradus(folder, line.split(' '))
    expect([line, ran.code]).toEqual([line, 0])
    const [plain = ''] = line.split(' --engine')
    await callVerb(run, [...plain.split(' ').slice(1, -1), path('plain')])
    for (const file of FILES) expect(bytes(join('chains', file))).toBe(bytes(join('plain', file)))
  })
})

describe('gradus run --engine postgres', () => {
  it('ends with the files and figures of one machine, whoever is killed, and pays twice for what was under way alone', async () => {
    const server = await startChainServer({ latencyMs: 5 })
    writeFileSync(path('gradus.yaml'), settings(server))
    const command = ['run', path('gradus.yaml'), '--jobs', '8', '--json', '--folder']
    const { code } = await callVerb(run, [...command.slice(1), path('one')])
    expect(code).toBe(0)
    const once = sampled(server)
    expect(once.filter(([, times]) => times > 1)).toEqual([])
    const all = server.requests

    server.seen.clear()
    server.requests = 0
    server.script = { ...server.script, latencyMs: 60 }
    const environment = { GRADUS_DATABASE_URL: url() }
    const work = () => startGradus(folder, ['worker', '--jobs', '8'], environment)
    const give = () => startGradus(folder, [...command, path('many'), ...many(), '--shard', '4'])
    const workers = [work()]
    let killed = 0
    const planner = give()
    const share = (part: number): Promise<void> => asked(server, Math.floor(all * part))

    // A worker in the midst of sampling, one in the midst of labelling, and the command itself.
    await share(0.1)
    workers[0]?.child.kill('SIGKILL')
    killed++
    workers.push(work())
    await share(0.5)
    planner.child.kill('SIGKILL')
    workers[1]?.child.kill('SIGKILL')
    killed++
    const again = give()
    const database = await openDatabase(url())
    // Nobody waits for heartbeats here.
    for (const { job } of await jobStatus(database)) await passHeartbeats(database, job)
    workers.push(work())
    const { code: ended, err } = await again.ended
    workers[2]?.child.kill('SIGTERM')
    await Promise.all(workers.map((worker) => worker.ended))
    expect([ended, err]).toEqual([0, ''])
    for (const file of FILES) expect(bytes(join('many', file))).toBe(bytes(join('one', file)))

    const bodies = (list: [string, number][]): string[] => list.map(([body]) => body).sort()
    expect(bodies(sampled(server))).toEqual(bodies(once))
    const twice = sampled(server).reduce((sum, [, times]) => sum + times - 1, 0)
    // Attempts at one problem are in one shard: no two ask the same.
    expect(twice).toBeLessThanOrEqual(8 * killed)
    // The bill: what was sent, and what in doubt was perhaps not.
    const jobs = await jobStatus(database)
    const calls = jobs.reduce((sum, job) => sum + job.spent.calls, 0)
    const inDoubt = jobs.reduce((sum, job) => sum + job.inDoubt, 0)
    // The probes' looks at the list of models are requests, but no calls.
    expect(server.requests).toBeLessThanOrEqual(calls + 3)
    expect(server.requests).toBeGreaterThanOrEqual(calls - inDoubt)
    expect(JSON.parse(bytes('many/run.json')).usage.calls).toBe(calls)
    await database.close()
    await server.close()
  })

  it('stops all of its jobs at the budget of the run, goes on with a larger one, and asks a judge by its workers', async () => {
    const server = await startChainServer()
    const judge = await startSumJudge()
    writeFileSync(path('judged.yaml'), `${settings(server)}judge: ${judge.url}#test\nseed: '1'\n`)
    const command = [path('judged.yaml'), '--jobs', '4', '--json', '--folder']
    expect((await callVerb(run, [...command, path('judged-one')])).code).toBe(0)
    server.requests = 0
    judge.requests = 0
    const worker = startGradus(folder, ['worker', '--jobs', '4'], { GRADUS_DATABASE_URL: url() })
    const give = (calls: number) =>
      callVerb(run, [...command, path('judged-many'), ...many(), '--rate', '500', '--budget-calls', String(calls)])
    // Of the training traces there are 48; in the second go they are labelled.
    for (const calls of [30, 120]) {
      expect(await give(calls)).toMatchObject({ code: 3, err: expect.stringContaining('goes on from there') })
      const spent = server.requests + judge.requests
      expect(spent).toBeGreaterThan(calls - 6)
      expect(spent).toBeLessThanOrEqual(calls + 2)
    }
    const last = await give(5_000)
    expect([last.code, last.err]).toEqual([0, ''])
    // How long a judge took is in its evidence.
    const timeless = (file: string): string => bytes(file).replaceAll(/"seconds":[\d.e-]+/g, '"seconds":0')
    for (const file of FILES) expect(timeless(join('judged-many', file))).toBe(timeless(join('judged-one', file)))
    worker.child.kill('SIGTERM')
    expect((await worker.ended).err).toBe('')
    await server.close()
    await judge.close()
  })
})
