import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manyMachines } from './testing/many-machines.ts'
import { callVerb } from './testing/run-gradus.ts'
import { run } from './verbs/run.ts'
import { status } from './verbs/status.ts'

const { path, bytes } = manyMachines({ postgres: false })

writeFileSync(
  path('gradus.yaml'),
  `
policy: task:slip=.15
task: arithmetic-chain:1
annotators: [monte-carlo:k=3, arithmetic]
numbers: { train: 20, trainSamples: 3, tune: 10, report: 10, reportSamples: 4, seeds: 2 }
beam: { k: 4, beam: 2 }
`,
)
const FILES = ['traces.jsonl', 'labelled.jsonl', 'candidates-tune.jsonl', 'candidates-1.jsonl', 'figures.json']

describe('gradus run --engine pglite', () => {
  it('writes the files and figures of a run by one process, and goes on with what is missing', async () => {
    const many = ['--engine', 'pglite', '--database-url', path('db'), '--results', path('results'), '--shard', '7']
    const command = [path('gradus.yaml'), '--json', '--folder']
    expect((await callVerb(run, [...command, path('one')])).code).toBe(0)
    const first = await callVerb(run, [...command, path('many'), ...many])
    expect([first.code, first.err]).toEqual([0, ''])
    for (const file of FILES) expect(bytes(join('many', file))).toBe(bytes(join('one', file)))

    const listed = JSON.parse((await callVerb(status, ['--database-url', path('db'), '--json'])).out)
    const kinds = listed.jobs.map((job: { kind: string; state: string }) => `${job.kind} ${job.state}`)
    expect(kinds).toEqual(['label done', ...Array.from({ length: 4 }, () => 'sample done'), 'run done'])
    expect(listed.jobs.at(-1).items).toEqual({ done: 1, total: 1 })

    // As if it had been killed while the traces were labelled; of the labels, one shard is gone.
    const state = JSON.parse(bytes('many/run.json'))
    const at = state.stages.findIndex((stage: { name: string }) => stage.name === 'label steps')
    writeFileSync(path('many/run.json'), JSON.stringify({ ...state, stages: state.stages.slice(0, at) }))
    rmSync(path('many/labelled.jsonl'))
    const shard = join('results', listed.jobs[0].job, 'output', '000003.jsonl')
    const before = readFileSync(path(shard), 'utf8')
    rmSync(path(shard))
    const again = await callVerb(run, [...command, path('many'), ...many])
    expect([again.code, again.err]).toEqual([0, ''])
    for (const file of FILES) expect(bytes(join('many', file))).toBe(bytes(join('one', file)))
    expect(bytes(shard)).toBe(before)
    expect(existsSync(path('many/cache.sqlite'))).toBe(false)
  })
})
