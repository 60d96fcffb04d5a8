import { existsSync } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTraces, readTraces, untilDamaged } from './read.ts'
import { cannotWrite, discardUnfinished, refuseInputAsOutput, targetOf } from './target.ts'
import { openText, traceWriter } from './write.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradus-target-'))
})
afterAll(async () => await rm(folder, { recursive: true, force: true }))

const trace = (id: string, more: object = {}): string =>
  `${JSON.stringify({
    id,
    problem: { id: 'p', prompt: 'What is 2 + 3?' },
    steps: [{ text: '2 + 3 = 5', kind: 'thought' }],
    source: { generator: 'x', dataset: 'd', licence: 'MIT' },
    ...more,
  })}\n`

describe('outputs', () => {
  it('appear under their name when they are whole, and never before', async () => {
    const path = join(folder, 'whole.jsonl')
    const out = await openText(path)
    await out.write('a\n')
    expect(await readdir(folder)).toEqual([`whole.jsonl.${process.pid}.tmp`])
    await out.close()
    expect(await readFile(path, 'utf8')).toBe('a\n')
  })

  it('leave nothing behind when the process is told to stop', async () => {
    await openText(join(folder, 'stopped.jsonl'))
    discardUnfinished()
    expect((await readdir(folder)).filter((name) => name.startsWith('stopped'))).toEqual([])
  })

  it.each(['json', 'jsonl.gz', 'parquet'])('never replace a folder (%s)', async (ending) => {
    const path = join(folder, `folder.${ending}`)
    await mkdir(path)
    await expect(traceWriter(path)).rejects.toMatchObject({ code: 'GRD-IO-013', found: 'a folder' })
  })

  it('follow a link, and are written into a device as it is', async () => {
    await writeFile(join(folder, 'real'), 'old')
    await symlink('real', join(folder, 'link'))
    const out = await openText(join(folder, 'link'))
    await out.write('new')
    await out.close()
    expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true)
    expect(await readFile(join(folder, 'real'), 'utf8')).toBe('new')
    expect((await targetOf('/dev/null')).name).toBe('/dev/null')
  })

  it('of one run need names of their own', async () => {
    const path = join(folder, 'twice.html')
    const first = await openText(path)
    await expect(openText(path)).rejects.toMatchObject({ code: 'GRD-IO-013' })
    await first.abandon()
  })

  it('are not the input, by whatever name', async () => {
    const path = join(folder, 'input.jsonl')
    await writeFile(path, trace('a'))
    await symlink('input.jsonl', join(folder, 'other.jsonl'))
    await expect(refuseInputAsOutput([path], join(folder, 'other.jsonl'))).rejects.toMatchObject({ code: 'GRD-IO-013' })
    await refuseInputAsOutput([path], join(folder, 'new.jsonl'))
    await refuseInputAsOutput(['-'], '-')
  })

  it.skipIf(!existsSync('/dev/full'))('say that the disk is full, zipped or not (needs /dev/full)', async () => {
    const out = await openText('/dev/full')
    const full = (async () => {
      await out.write('x'.repeat(1 << 20))
      await out.close()
    })()
    await expect(full).rejects.toMatchObject({ code: 'GRD-IO-014' })
  })

  it('name the folder that is missing and the permission that is lacking', () => {
    const error = (code: string): Error => Object.assign(new Error(code), { code })
    expect(cannotWrite('a/b.jsonl', error('ENOENT')).try).toEqual(['mkdir -p a'])
    expect(cannotWrite('a/b.jsonl', error('EACCES')).found).toBe('no permission to write there')
  })
})

describe('damaged gzip', () => {
  it('gives the records before the break, for a small file too', async () => {
    const packed = gzipSync(Array.from({ length: 3000 }, (_, i) => trace(`t${i}`)).join(''))
    const path = join(folder, 'cut.jsonl.gz')
    await writeFile(path, packed.subarray(0, Math.floor(packed.length * 0.6)))
    const { report, batches } = await openTraces(path)
    const ids: string[] = []
    for await (const batch of untilDamaged(batches, report, false)) ids.push(...batch.map((t) => t.id))
    expect(ids.length).toBeGreaterThan(1000)
    expect(ids).toEqual(ids.map((_, i) => `t${i}`))
    expect(report.rejectedByCode).toEqual({ 'GRD-IO-007': 1 })
  })

  it('is an error where nothing can be read', async () => {
    const path = join(folder, 'stub.jsonl.gz')
    await writeFile(path, gzipSync(trace('a')).subarray(0, 20))
    await expect(readTraces(path)).rejects.toMatchObject({ code: 'GRD-IO-007' })
  })
})

describe('native traces', () => {
  it.each([
    ['labels.0', { labels: [{ step: 1, meaning: 'correctness', value: 1, source: 'x' }] }],
    ['labels.0', { labels: [{ meaning: 'first-error', value: 1, source: 'x' }] }],
    ['evidence.0', { evidence: [{ kind: 'human', source: 'x', step: 4, verdict: 'correct' }] }],
    ['verdict.risk', { verdict: { risk: [], firstErrorProb: [0, 1], firstError: -1 } }],
    ['verdict.firstErrorProb', { verdict: { risk: [0], firstErrorProb: [1], firstError: -1 } }],
    ['verdict.firstError', { verdict: { risk: [1], firstErrorProb: [1, 0], firstError: 1 } }],
  ])('whose %s do not fit the steps are left out', async (field, more) => {
    const path = join(folder, 'misfit.jsonl')
    await writeFile(path, trace('a') + trace('b', more))
    const { traces, report } = await readTraces(path)
    expect(traces.map((t) => t.id)).toEqual(['a'])
    expect(report.rejected[0]).toMatchObject({ code: 'GRD-IO-003', where: { line: 2, field } })
  })
})
