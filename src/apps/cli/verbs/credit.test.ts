import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { parquetMetadata } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Trace } from '../../../core/words.ts'
import { readParquetRows } from '../../../io/parquet.ts'
import type { CreditRecord } from '../../pipeline/credit.ts'
import { callVerb } from '../testing/run-gradus.ts'
import { credit } from './credit.ts'
import { label } from './label.ts'
import { sample } from './sample.ts'

const page = readFileSync(new URL('../../../../docs/credit.md', import.meta.url), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'gradus-credit-'))
afterAll(() => rmSync(folder, { recursive: true }))

const at = (name: string): string => join(folder, name)
const lines = <T>(name: string): T[] =>
  readFileSync(at(name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
const write = (name: string, traces: readonly Trace[]): string => {
  writeFileSync(at(name), traces.map((trace) => `${JSON.stringify(trace)}\n`).join(''))
  return at(name)
}

let attempts: Trace[]
beforeAll(async () => {
  // The commands of the page, in their order; each writes what the next ones read.
  const commands = page.split('\n').filter((line) => line.startsWith('gradus '))
  expect(commands.length).toBeGreaterThan(7)
  for (const line of commands) {
    const [, verb, ...words] = line.split(' ').map((word) => (/^[a-z]+\.jsonl$/.test(word) ? at(word) : word))
    const called =
      verb === 'credit'
        ? callVerb(credit, words)
        : verb === 'label'
          ? callVerb(label, [...words, '--cache', at('cache.sqlite')])
          : callVerb(sample, [...words, '--cache', at('cache.sqlite')])
    const { code, err } = await called
    expect([line, code, err]).toEqual([line, 0, ''])
  }
  attempts = lines<Trace>('attempts.jsonl')
})

describe('gradus credit', () => {
  it('gives every step of an attempt its outcome, compared with the others at the problem', () => {
    const records = lines<CreditRecord>('outcome.jsonl')
    expect(records.map(({ id }) => id)).toEqual(attempts.map(({ id }) => id))
    for (const [i, { steps, outcome, flags, completion, tokens }] of records.entries()) {
      const sign = flags.includes('dead-group') ? 0 : outcome === 1 ? 1 : -1
      for (const [t, step] of steps.entries()) {
        expect(Math.sign(step.advantage)).toBe(sign)
        expect(completion.slice(step.from, step.to)).toBe(attempts[i]?.steps[t]?.text)
      }
      expect(tokens?.advantages).toHaveLength(attempts[i]?.steps.flatMap((s) => s.tokens?.ids ?? []).length ?? -1)
      expect(tokens?.old_log_probs).toEqual(attempts[i]?.steps.flatMap((s) => s.tokens?.logprobs ?? []))
    }
    const byGroup = Map.groupBy(records, ({ group }) => group)
    for (const own of byGroup.values())
      expect(own.reduce((s, r) => s + (r.steps[0]?.advantage ?? 0), 0)).toBeCloseTo(0, 6)
  })

  it('writes the same rows as Parquet, lists of numbers as such', async () => {
    const { code } = await callVerb(credit, [at('attempts.jsonl'), '-o', at('outcome.parquet')])
    expect(code).toBe(0)
    const file = readFileSync(at('outcome.parquet'))
    const rows = await readParquetRows({ file: 'outcome.parquet', bytes: Readable.from([file]) })
    // What a row leaves out is null in a table.
    const whole = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value, (_, v: unknown) => (v === null ? undefined : v)))
    expect(whole(rows)).toEqual(whole(lines('outcome.jsonl')))
    const { schema } = parquetMetadata(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength))
    expect(schema.filter(({ converted_type }) => converted_type === 'JSON')).toEqual([])
  })

  it('punishes the step that a tool refutes, in good attempts and bad ones', () => {
    const labelled = lines<Trace>('labelled.jsonl')
    for (const name of ['dual.jsonl', 'renorm.jsonl']) {
      const apart = lines<CreditRecord>(name).flatMap(({ steps }, i) =>
        steps.flatMap(({ parts }, t) => {
          const risk = labelled[i]?.verdict?.risk[t]
          return risk === null || risk === undefined || risk === 0.5
            ? []
            : [{ wrong: risk > 0.5, part: parts['step'] ?? 0 }]
        }),
      )
      const mean = (wrong: boolean): number => {
        const own = apart.filter((one) => one.wrong === wrong).map(({ part }) => part)
        return own.reduce((a, b) => a + b, 0) / own.length
      }
      expect(mean(true)).toBeLessThan(mean(false) - 0.1)
    }
  })

  it('by progress alone adds up to outcome - value of the start', () => {
    const values = lines<Trace>('values.jsonl')
    for (const [i, { steps, outcome, flags }] of lines<CreditRecord>('progress.jsonl').entries()) {
      if (flags.includes('unscored')) continue
      const start = values[i]?.evidence?.find((e) => e.kind === 'rollouts' && e.step === -1)
      if (start?.kind !== 'rollouts') throw new Error('no rollouts from the start')
      const sum = steps.reduce((s, { advantage }) => s + advantage, 0)
      expect(sum).toBeCloseTo((outcome ?? 0) - start.successes / start.trials, 6)
    }
    expect(lines<CreditRecord>('progress.jsonl').some(({ flags }) => !flags.includes('unscored'))).toBe(true)
  })

  it('finds no pull where the reference is the policy itself', () => {
    for (const { steps } of lines<CreditRecord>('reference.jsonl')) {
      for (const { parts } of steps) expect(Math.abs(parts['reference'] ?? 1)).toBeLessThan(1e-3)
    }
  })

  it('writes the same bytes again, also to standard output with the attempts in another order', async () => {
    const again = await callVerb(credit, [at('attempts.jsonl'), '-o', at('again.jsonl')])
    expect(again.code).toBe(0)
    expect(readFileSync(at('again.jsonl'), 'utf8')).toBe(readFileSync(at('outcome.jsonl'), 'utf8'))
    const turned = write('turned.jsonl', [...attempts].reverse())
    await callVerb(credit, [turned, '-o', at('turned-out.jsonl')])
    expect(lines('turned-out.jsonl').reverse()).toEqual(lines('outcome.jsonl'))
  })

  it('counts what teaches nothing', async () => {
    const [first] = attempts
    const some = attempts
      .slice(0, 8)
      .map(({ outcome, ...trace }, i) => (i === 2 ? trace : { ...trace, outcome: outcome ?? 0 }))
    const alone = { ...first!, id: 'alone', problem: { ...first!.problem, id: 'other', prompt: 'one of its own' } }
    const run = await callVerb(credit, [write('some.jsonl', [...some, alone]), '--json'])
    expect(JSON.parse(run.out)).toMatchObject({ attempts: 9, groups: 2, alone: 1, noOutcome: 1 })
  })

  it.each([
    ['an unknown method', ['--with', 'nothing'], 'GRD-CLI-002', 'log-ratio'],
    ['an option out of range', ['--with', 'log-ratio:eta=0', '--reference', 'embedded'], 'GRD-CLI-002', 'eta'],
    ['scores that are not there', ['--with', 'dual'], 'GRD-LABEL-004', 'gradus score'],
    ['scores of nobody', ['--with', 'dual', '--scores', 'reward:nobody'], 'GRD-LABEL-004', 'reward:nobody'],
    ['a reference that is not there', ['--with', 'log-ratio'], 'GRD-LABEL-004', '--reference embedded:chains'],
    [
      'a reference elsewhere',
      ['--with', 'log-ratio', '--reference', 'http://127.0.0.1:1/v1#m'],
      'GRD-CLI-002',
      'embedded',
    ],
    [
      'a reference that has not learnt the task',
      ['--with', 'log-ratio', '--reference', 'embedded:hopworld'],
      'GRD-WORLD-001',
      '',
    ],
  ])('refuses %s', async (_, words, code, says) => {
    const run = await callVerb(credit, [at('attempts.jsonl'), ...words])
    expect(run.code).toBe(code)
    expect(run.err).toContain(says)
  })

  it('asks whose scores are meant where there are several, and says where outcomes or a file are missing', async () => {
    const twice = attempts.map((trace) => ({
      ...trace,
      labels: ['reward:my model', 'b'].map((source) => ({
        step: 0,
        meaning: 'correctness' as const,
        value: 1,
        source,
      })),
    }))
    const several = await callVerb(credit, [write('twice.jsonl', twice), '--with', 'dual'])
    expect([several.code, several.err]).toEqual([
      'GRD-LABEL-004',
      expect.stringContaining("--scores 'reward:my model'"),
    ])
    const none = await callVerb(credit, [
      write(
        'none.jsonl',
        attempts.map(({ outcome: _, ...trace }) => trace),
      ),
    ])
    expect([none.code, none.err]).toEqual(['GRD-LABEL-004', expect.stringContaining('without an outcome')])
  })

  it('does what can be done of a damaged file, and says that something is missing', async () => {
    writeFileSync(at('bad.jsonl'), `${readFileSync(at('attempts.jsonl'), 'utf8')}{"id": 1}\n`)
    const run = await callVerb(credit, [at('bad.jsonl'), '-o', at('bad-out.jsonl')])
    expect(run.code).toBe(3)
    expect(readFileSync(at('bad-out.jsonl'), 'utf8')).toBe(readFileSync(at('outcome.jsonl'), 'utf8'))
  })
})
