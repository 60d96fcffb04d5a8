import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../engine/distributed/database.ts'
import { startTestServer, type TestServer } from '../../../engine/testing/openai-server.ts'
import { readTraces } from '../../../io/read.ts'
import { startSumJudge } from '../../../models/rewards/testing/sum-judge.ts'
import { manyMachines } from '../testing/many-machines.ts'
import { callVerb, runGradus, says, startGradus } from '../testing/run-gradus.ts'
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
  it('write the bytes of one machine, whoever does the work; status shows what it came to', async () => {
    const problems = Array.from({ length: 40 }, (_, i) => ({
      id: `p${i}`,
      prompt: `What is ${i} + 1?`,
      answer: `${i + 1}`,
    }))
    writeFileSync(path('problems.jsonl'), problems.map((problem) => `${JSON.stringify(problem)}\n`).join(''))
    const command = words(`@problems.jsonl --policy ${server.url}#test -n 2 --seed 1 --price 1,2`)
    const one = await callVerb(sample, [...command, '--no-cache', '--json', '-o', path('one.jsonl')])
    expect([one.code, one.err]).toEqual([0, ''])

    const hand = startGradus(folder, ['worker', '--jobs', '8'], { GRADUS_DATABASE_URL: url() })
    await says(hand, /Ctrl-C/)
    const [several, labelled] = [
      await callVerb(sample, [...command, ...many(), '--shard', '10', '--json', '-o', path('many.jsonl')]),
      await callVerb(label, [
        ...words('@one.jsonl --json'),
        ...many(),
        '--shard',
        '30',
        '-o',
        path('labels-many.jsonl'),
      ]),
    ]
    expect([several.code, several.err, labelled.code]).toEqual([0, '', 0])
    expect(bytes('many.jsonl')).toBe(bytes('one.jsonl'))
    // Same calls, the probe's included, for the same money.
    const { spent, ...summary } = JSON.parse(several.out)
    const alone = JSON.parse(one.out).spent
    expect(spent).toEqual({ ...alone, seconds: spent.seconds, cost: expect.closeTo(alone.cost, 12) })
    expect(summary).toMatchObject({ state: 'done', items: { done: 40 }, counts: { traces: 80 }, inDoubt: 0 })

    await callVerb(label, words('@one.jsonl -o @labels-one.jsonl'))
    expect(bytes('labels-many.jsonl')).toBe(bytes('labels-one.jsonl'))

    const shown = await callVerb(status, ['--database-url', url()])
    expect(shown.out).toMatch(/label-\w{16} {3}done[\s\S]*sample-\w{16} {3}done/)
    expect(shown.out).toContain('40 of 40 items   100.0 %   4 of 4 shards, 0 in hand')
    expect(shown.out).toMatch(/1 workers\n {4}\S+\/\d+ +\d shards +0 calls/)
    const listed = JSON.parse((await callVerb(status, ['--database-url', url(), '--json'])).out)
    expect(listed.jobs.map((job: { kind: string }) => job.kind)).toEqual(['label', 'sample'])

    hand.child.kill('SIGTERM')
    const ended = await hand.ended
    expect([ended.code, ended.err]).toEqual([0, ''])
    expect(ended.out).toMatch(/sample-\w{16} {3}shard \d {3}10 items/)
  })

  it('keep results in the store as Parquet where asked, which every reader reads; the output is the same traces', async () => {
    await callVerb(sample, words('--task game24:1 --policy inject --problems 30 --seed 6 -o @table.jsonl'))
    const line = words('@table.jsonl --seed 6 --json')
    await callVerb(label, [...line, '-o', path('table-one.jsonl')])
    const [several] = await Promise.all([
      callVerb(label, [
        ...[...line, ...many(), '--shard', '8', '--shard-format', 'parquet'],
        ...['-o', path('table-many.jsonl'), '--report', path('table.html')],
      ]),
      callVerb(worker, ['--database-url', url(), '--idle', '2']),
    ])
    expect([several.code, several.err]).toEqual([0, ''])
    const { traces } = await readTraces(path('table-one.jsonl'), { strict: true })
    expect((await readTraces(path('table-many.jsonl'), { strict: true })).traces).toEqual(traces)
    const shards = join(path('results'), JSON.parse(several.out).job, 'output')
    const names = readdirSync(shards).sort()
    expect(names).toEqual([0, 1, 2, 3].map((shard) => `00000${shard}.parquet`))
    const stored = await Promise.all(names.map((name) => readTraces(join(shards, name), { strict: true })))
    expect(stored.flatMap((shard) => shard.traces)).toEqual(traces)
  })

  it('label by a judge and trees, with report and audit, as one machine does; keys stay where they are', async () => {
    const key = 'JUDGE_KEY_OF_MANY'
    process.env[key] = 'sk-of-this-machine'
    const judge = await startSumJudge()
    await callVerb(
      sample,
      words('--task arithmetic-chain --policy task:slip=.3 --problems 20 --seed 4 -o @judged.jsonl'),
    )
    const line = words(
      '@judged.jsonl --with omegaprm:k=2,searches=4,reward:judge --rule consensus --policy task --json',
    )
    const judged = [...line, '--judge', `${judge.url}#test`, '--judge-key', key]
    const outputs = (name: string): string[] =>
      words(`-o @${name}.jsonl --report @${name}.html --audit @${name}-audit.json --trees @${name}-trees --dot`)
    const one = await callVerb(label, [...judged, '--no-cache', ...outputs('alone')])
    const asked = judge.requests
    const [several] = await Promise.all([
      callVerb(label, [...judged, ...many(), '--shard', '6', ...outputs('several')]),
      callVerb(worker, ['--database-url', url(), '--idle', '2']),
    ])
    await judge.close()
    expect([one.code, several.code, several.err]).toEqual([0, 0, ''])
    // How long a judge took is in its evidence.
    const timeless = (name: string): string => bytes(name).replaceAll(/"seconds":[\d.e-]+/g, '')
    for (const name of ['.jsonl', '-audit.json', '-trees/trees.jsonl', '-trees/0001-omegaprm.dot']) {
      expect([name, timeless(`several${name}`)]).toEqual([name, timeless(`alone${name}`)])
    }
    expect(timeless('several.html')).toBe(timeless('alone.html'))
    expect(JSON.parse(several.out)).toMatchObject({ state: 'done', counts: { traces: 20 }, audit: expect.anything() })
    expect(judge.requests - asked).toBe(asked)
    expect(judge.headers.every(({ authorization }) => authorization === 'Bearer sk-of-this-machine')).toBe(true)
    const database = await openDatabase(url())
    for (const table of ['jobs', 'facts', 'shards']) {
      expect(JSON.stringify(await database.query(`SELECT * FROM gradus.${table}`))).not.toContain('sk-of-this')
    }
    await database.close()
  })

  it('say what is missing before anything is done', async () => {
    const line = words('--task arithmetic-chain --policy task')
    const refused = async (...more: string[]) => (await callVerb(sample, [...line, ...more])).err
    expect(await refused('--results', 'x')).toContain('--engine postgres or pglite')
    expect(await refused('--engine', 'postgres')).toContain('a folder that all workers reach')
    expect(await refused('--engine', 'postgres', '--results', 'x')).toContain('postgres://user:password@host')
    const nowhere = ['--engine', 'postgres', '--results', 'x', '--database-url', 'postgres://a:b@127.0.0.1:1/c']
    expect(await refused(...nowhere)).toContain('GRD-DB-001')
    const merged = ['x.jsonl', '--merge', 'dawid-skene', ...many()]
    expect((await callVerb(label, merged)).err).toContain('--engine local')
    expect((await callVerb(worker, [])).code).toBe('GRD-CLI-002')
    expect((await callVerb(status, ['x', '--database-url', url()])).code).toBe('GRD-RUN-006')
    expect((await callVerb(status, ['--pause', '--database-url', url()])).code).toBe('GRD-CLI-001')
  })
})

describe('docs/many-machines.md', () => {
  it('has commands for one machine that run as written, and write the bytes of a plain run', async () => {
    const page = readFileSync(new URL('../../../../docs/many-machines.md', import.meta.url), 'utf8')
    const [block = ''] = page.split('```sh\n').slice(1)
    for (const line of block.split('```')[0]?.trim().split('\n') ?? []) {
      const ran = await runGradus(folder, line.split(' ').slice(1))
      expect([line, ran.code, ran.err]).toEqual([line, 0, ''])
    }
    await callVerb(
      sample,
      words('--task arithmetic-chain:1 --policy task:slip=.2,recovery=.5 --problems 300 -o @plain.jsonl'),
    )
    await callVerb(label, words('@plain.jsonl -o @plain-labelled.jsonl'))
    expect(bytes('chains.jsonl')).toBe(bytes('plain.jsonl'))
    expect(bytes('labelled.jsonl')).toBe(bytes('plain-labelled.jsonl'))
  })
})
