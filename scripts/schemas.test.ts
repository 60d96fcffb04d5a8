import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { PUBLISHED, writeSchemas } from './schemas.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradus-schemas-'))
  await writeSchemas(folder)
})

const schema = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))

describe('the published JSON Schemas', () => {
  it('are one file for each word, and one for the settings of a run', () => {
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(PUBLISHED)
        .map((n) => `${n}.json`)
        .sort(),
    )
  })

  it('accept the shipped traces and refuse broken ones, by a validator that is not ours', () => {
    const valid = new Ajv2020({ strict: false }).compile(schema('Trace'))
    const shipped = ['mathematics', 'code', 'agents'].flatMap((area) =>
      readFileSync(join(import.meta.dirname, '..', 'examples', 'traces', `${area}.jsonl`), 'utf8')
        .trim()
        .split('\n')
        .map((l) => JSON.parse(l) as Record<string, unknown>),
    )
    expect(shipped.filter((t) => !valid(t))).toEqual([])
    const [trace] = shipped
    expect(valid({ ...trace, steps: 'none' })).toBe(false)
    expect(valid({ ...trace, source: undefined })).toBe(false)
    expect(valid({ ...trace, verdict: { risk: ['high'], firstErrorProb: [1], firstError: 0 } })).toBe(false)
  })

  it('accept settings of a run that leave out what has a default, and refuse unknown ones', () => {
    const valid = new Ajv2020({ strict: false }).compile(schema('RunConfig'))
    expect(valid({ $schema: 'RunConfig.json', policy: 'embedded:chains', numbers: { seeds: 2 } })).toBe(true)
    expect(valid({ polcy: 'embedded:chains' })).toBe(false)
  })
})
