import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DATA, dataFile, noData } from '../../testing/data.ts'
import { readTraces } from '../read.ts'
import { locate } from './download.ts'
import { DATASETS, datasetNamed, forbidsCommercialUse } from './registry.ts'

const files = DATASETS.flatMap((d) => d.sources.flatMap((s) => s.files))

describe('registry of data sets', () => {
  it('names each set and each file once, at a whole commit, inside the folder of its set', () => {
    expect(new Set(DATASETS.map((d) => d.name)).size).toBe(DATASETS.length)
    expect(new Set(files.map((f) => f.path)).size).toBe(files.length)
    for (const { name, licence, summary, sources } of DATASETS) {
      expect(licence.length * summary.length).toBeGreaterThan(0)
      for (const { repository, commit, files } of sources) {
        expect(repository).toMatch(/^[\w.-]+\/[\w.-]+$/)
        expect(commit).toMatch(/^[0-9a-f]{40}$/)
        for (const { path, source, sha256 } of files) {
          expect(path.startsWith(`${name}/`)).toBe(true)
          expect([...path.split('/'), ...(source ?? '').split('/')]).not.toContain('..')
          if (sha256 !== undefined) expect(sha256).toMatch(/^[0-9a-f]{64}$/)
        }
      }
    }
  })

  it('finds a set by name and says which there are', () => {
    expect(datasetNamed('gsm8k').licence).toBe('MIT')
    expect(() => datasetNamed('gsm9k')).toThrow(expect.objectContaining({ code: 'GRD-DATA-001' }))
  })

  it.each([
    ['CC BY-NC 4.0', true],
    ['CC-BY-NC-SA-4.0', true],
    ['non-commercial use', true],
    ['for research only', true],
    ['CC BY-SA 4.0', false],
    ['MIT (tasks from Spider CC BY-SA 4.0, NL2Bash, picoCTF)', false],
    ['NCSA', false],
  ])('licence %s forbids commercial use: %s', (licence, forbids) => {
    expect(forbidsCommercialUse(licence)).toBe(forbids)
  })
})

describe.skipIf(DATA === '')(`registry beside GRADUS_DATA${DATA === '' ? ' (which is not here)' : ''}`, () => {
  it('finds every file of the sets that are there', () => {
    const there = DATASETS.filter((d) => !noData(d.name))
    for (const { sources } of there) {
      for (const file of sources.flatMap((s) => s.files)) {
        const found = locate(file, { given: DATA, cache: dataFile('no-cache') })
        expect(found, file.path).toMatchObject({ from: 'GRADUS_DATA' })
        expect(existsSync(found?.path ?? '')).toBe(true)
      }
    }
  })

  it.skipIf(noData('processbench'))('gives files that the reader knows', async () => {
    const file = datasetNamed('processbench').sources[0]?.files[0]
    const found = file && locate(file, { given: DATA, cache: '' })
    expect((await readTraces(found?.path ?? '')).report.format).toBe('processbench')
  })
})
