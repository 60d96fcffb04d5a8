import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../../engine/testing/openai-server.ts'
import { startToyServer } from '../../../models/rewards/testing/prm-server.ts'
import { manyMachines } from '../testing/many-machines.ts'
import { callVerb, runGradus, startGradus } from '../testing/run-gradus.ts'
import { label } from './label.ts'
import { sample } from './sample.ts'
import { status } from './status.ts'
import { worker } from './worker.ts'

const { folder, path, words, bytes, url, many } = manyMachines()
let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ latencyMs: 3 })
})
afterAll(() => server.close())

describe('gradus sample and label with --engine postgres', () => {
  it('label by rollouts of an endpoint as one machine does, with what was found out on the first traces', async () => {
    await callVerb(
      sample,
      words('--task arithmetic-chain --policy task:slip=.3 --problems 12 --seed 3 -o @chains.jsonl'),
    )
    const line = words(`@chains.jsonl --with first-error-locator --policy ${server.url}#test --seed 1 --json`)
    const one = await callVerb(label, [...line, '--no-cache', '-o', path('rolled-one.jsonl')])
    const [several] = await Promise.all([
      callVerb(label, [...line, ...many(), '--shard', '3', '-o', path('rolled-many.jsonl')]),
      callVerb(worker, ['--database-url', url(), '--idle', '3']),
    ])
    expect([one.code, several.code, several.err]).toEqual([0, 0, ''])
    expect(bytes('rolled-many.jsonl')).toBe(bytes('rolled-one.jsonl'))
    expect(JSON.parse(several.out)).toMatchObject({ state: 'done', items: { done: 12, total: 12 } })
  })

  it('label by a trained model, the same on all machines, and by a model behind a server', async () => {
    const chains = '--task arithmetic-chain --policy inject --problems 60 --seed 8 -o @rewarded.jsonl'
    await callVerb(sample, words(chains))
    await callVerb(label, words('@rewarded.jsonl -o @learnt.jsonl'))
    const train = words('reward @learnt.jsonl -o @model.json --json')
    expect(await runGradus(folder, ['train', ...train])).toMatchObject({ code: 0 })
    const toy = await startToyServer({
      tokens: { '<extra_0>': 151_651 },
      head: { kind: 'rows', width: 2, pooler: 'step' },
      speaksAt: 151_651,
    })
    const hand = startGradus(folder, ['worker', '--jobs', '4'], { GRADUS_DATABASE_URL: url() })
    const timeless = (name: string): string => bytes(name).replaceAll(/"seconds":[\d.e-]+/g, '')
    for (const reward of [path('model.json'), `prm:qwen2.5-math-prm@${toy.url}#toy`]) {
      const line = words('@rewarded.jsonl --rule scores:threshold=.5 --json')
      await callVerb(label, [...line, '--reward', reward, '--no-cache', '-o', path('scored-one.jsonl')])
      const several = await callVerb(label, [...line, '--reward', reward, ...many(), '-o', path('scored-many.jsonl')])
      expect([several.code, several.err]).toEqual([0, ''])
      expect(timeless('scored-many.jsonl')).toBe(timeless('scored-one.jsonl'))
      expect(bytes('scored-many.jsonl')).toContain('"kind":"score"')
    }
    hand.child.kill('SIGTERM')
    expect((await hand.ended).err).toBe('')
    await toy.close()
  })

  it('leave a job to its workers on Ctrl-C, and go on with it', async () => {
    const line = words('--task arithmetic-chain --policy task:slip=.2 --problems 30 --seed 5')
    const first = startGradus(folder, ['sample', ...line, ...many(), '-o', path('left.jsonl')])
    const started = performance.now()
    for (;;) {
      const { out } = await callVerb(status, ['--database-url', url(), '--json'])
      if (JSON.parse(out).jobs[0].state === 'running') break
      if (performance.now() - started > 20_000) throw new Error(out)
    }
    first.child.kill('SIGINT')
    const left = await first.ended
    expect([left.code, left.out]).toEqual([130, expect.stringContaining('the job goes on with its workers')])
    const [done] = await Promise.all([
      callVerb(sample, [...line, ...many(), '-o', path('left.jsonl')]),
      callVerb(worker, ['--database-url', url(), '--idle', '1']),
    ])
    expect(done.code).toBe(0)
    await callVerb(sample, [...line, '-o', path('alone.jsonl')])
    expect(bytes('left.jsonl')).toBe(bytes('alone.jsonl'))
  })
})

describe('gradus sample with --engine pglite', () => {
  it('goes on after kill -9 with what is missing, one process at a time', async () => {
    const problems = Array.from({ length: 40 }, (_, i) => ({ id: `p${i}`, prompt: `What is ${i}?` }))
    writeFileSync(path('questions.jsonl'), problems.map((problem) => `${JSON.stringify(problem)}\n`).join(''))
    const slow = await startTestServer({ latencyMs: 100 })
    const line = words(`@questions.jsonl --policy ${slow.url}#test -n 2 --seed 1 --jobs 4 --json`)
    const here = [...line, '--engine', 'pglite', '--shard', '10', '-o', path('killed.jsonl')]
    const first = startGradus(folder, ['sample', ...here])
    while (slow.requests < 50) await new Promise((resolve) => setTimeout(resolve, 20))
    // From here on it waits for the server.
    slow.script = { latencyMs: 30_000 }
    const second = await runGradus(folder, ['status', '--database-url', '.gradus/pglite'])
    expect([second.code, second.err]).toEqual([1, expect.stringContaining('has this database open')])
    first.child.kill('SIGKILL')
    await first.ended
    slow.script = {}
    const again = await runGradus(folder, ['sample', ...here])
    const summary = JSON.parse(again.out)
    expect(summary).toMatchObject({ state: 'done', items: { done: 40 }, counts: { traces: 80 } })
    // Of what was sent before, at most the four calls under way are sent again.
    expect(summary.inDoubt).toBeLessThanOrEqual(4)
    // The probe's look at the list of models is a request, but no call.
    expect(slow.requests).toBeLessThanOrEqual(summary.spent.calls + 1)
    expect(slow.requests).toBeGreaterThan(summary.spent.calls - summary.inDoubt)
    await callVerb(sample, [...line, '--no-cache', '-o', path('undisturbed.jsonl')])
    expect(bytes('killed.jsonl')).toBe(bytes('undisturbed.jsonl'))
    await slow.close()
  })
})
