import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Given, LabelStore } from './labels.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-labels-'))
afterAll(() => rmSync(folder, { recursive: true }))

const said = (note: string): Pick<Given, 'labels' | 'firstError' | 'note'> => ({
  labels: ['correct', null],
  firstError: -1,
  note,
})

describe('labels of people', () => {
  it('lose nothing that was answered for when the process is killed', async () => {
    const file = join(folder, 'killed.sqlite')
    const script = join(folder, 'give.ts')
    writeFileSync(
      script,
      `import { LabelStore } from ${JSON.stringify(join(import.meta.dirname, 'labels.ts'))}
       const store = new LabelStore(${JSON.stringify(file)})
       for (let i = 0; ; i++) {
         store.give({ source: '.', id: 't' + i }, 'Ada', { labels: ['correct', null], firstError: -1, note: 'n' + i }, 'done')
         process.stdout.write(i + '\\n')
         await new Promise((go) => setImmediate(go))
       }`,
    )
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString()
      if (out.split('\n').length > 30) child.kill('SIGKILL')
    })
    await new Promise((resolve) => child.on('close', resolve))
    const answered = out.split('\n').filter((line) => line !== '').length
    const store = new LabelStore(file)
    const kept = store.all()
    expect(kept.length).toBeGreaterThanOrEqual(answered)
    expect(kept.map((k) => k.given.note)).toEqual(kept.map((_, i) => `n${i}`))
    store.close()
  })

  it('are shared by several processes that look at one file', () => {
    const file = join(folder, 'shared.sqlite')
    const one = new LabelStore(file)
    const other = new LabelStore(file)
    one.give({ source: '.', id: 'a' }, 'Ada', said(''), 'done')
    const before = other.stamp
    expect(other.people()).toEqual(['Ada'])
    expect(one.lock({ source: '.', id: 'b' }, 'Ada')).toBe(true)
    expect(other.lock({ source: '.', id: 'b' }, 'Bob')).toBe(false)
    expect(other.stamp).not.toBe(before)
    one.close()
    other.close()
  })

  it('leave no file while nobody has said anything', () => {
    const file = join(folder, 'none.sqlite')
    const store = new LabelStore(file)
    expect([store.all(), store.people(), store.locks(), store.heldBy('Ada'), store.canUndo('Ada')]).toEqual([
      [],
      [],
      [],
      null,
      false,
    ])
    expect(() => rmSync(file)).toThrow('ENOENT')
  })

  it('are refused with a reason where they cannot be written', () => {
    const store = new LabelStore(join(folder, 'no', 'such', 'folder.sqlite'))
    expect(() => store.give({ source: '.', id: 'a' }, 'Ada', said(''), 'done')).toThrow('GRD-IO-013')
  })
})
