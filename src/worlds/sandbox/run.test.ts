import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CLAIMED, choose, type Level, probeLevels, run } from './index.ts'

const levels = await probeLevels()
const python = levels.filter((l) => l.available && l.languages.includes('python'))
const isolated = python.some((l) => l.isolating)
const unless = isolated ? '' : ' (no isolating level runs Python on this machine)'
const folder = mkdtempSync(join(tmpdir(), 'gradus-run-'))
chmodSync(folder, 0o755)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(!isolated)(`run${unless}`, () => {
  it.each(python.map((l) => l.name))(
    '%s: gives the program its input and files and returns what it writes',
    async (level) => {
      const code =
        'import sys, pkg.mod\nprint(input(), pkg.mod.x, open("data/a.txt").read())\nprint("aside", file=sys.stderr)\nsys.exit(3)'
      const files = { 'pkg/mod.py': 'x = 42', 'data/a.txt': 'ünïcode' }
      const result = await run({ language: 'python', code, stdin: 'line\n', files, level, allowLocal: true })
      expect(result).toMatchObject({
        status: 'error',
        exitCode: 3,
        stdout: 'line 42 ünïcode\n',
        stderr: 'aside\n',
        level,
      })
    },
  )

  it('gives equal bytes for equal programs, sets of strings included', async () => {
    const code = 'print({"b", "a", "c", "d"}, hash("a"))'
    const [a, b] = await Promise.all([run({ language: 'python', code }), run({ language: 'python', code })])
    expect(a.stdout).toBe(b.stdout)
  })

  it.each(['../x', '/etc/x', 'a/../../x', 'a//b', './a', 'a/', '', '..', 'main.py', 'a\0b'])(
    'refuses the file name %j',
    async (name) => {
      const refused = run({ language: 'python', code: '', files: { [name]: '' } })
      await expect(refused).rejects.toMatchObject({ code: 'GRD-BOX-002' })
    },
  )

  it('tells apart how a program ended', async () => {
    const status = async (code: string) => (await run({ language: 'python', code, limits: { seconds: 2 } })).status
    expect(await status('print(1)')).toBe('ok')
    expect(await status('1 / 0')).toBe('error')
    expect(await status('import os; os.kill(os.getpid(), 9)')).toBe('killed')
    // Words of a program are not its end.
    expect(await status('import sys; print("MemoryError", file=sys.stderr)')).toBe('ok')
  })

  it('ends when told to', async () => {
    const signal = AbortSignal.timeout(200)
    const result = await run({ language: 'python', code: 'while True: pass', signal })
    expect(result).toMatchObject({ status: 'killed', exitCode: null })
    expect(result.seconds).toBeLessThan(2)
  })

  it('does not believe a bwrap that isolates nothing', async () => {
    const liar = '#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nexec /usr/bin/python3 -c "$(cat <&3)"\n'
    const bin = mkdtempSync(join(folder, 'bin'))
    chmodSync(bin, 0o755)
    writeFileSync(join(bin, 'bwrap'), liar, { mode: 0o755 })
    const [bubblewrap] = await probeLevels(bin)
    expect(bubblewrap).toMatchObject({
      name: 'bubblewrap',
      available: false,
      reason: /^does not hold here: files network/,
    })
  })
})

describe('choose', () => {
  const all = (...names: Level['name'][]): Level[] =>
    (['bubblewrap', 'namespaces', 'quickjs', 'local'] as const).map((name) => ({
      name,
      isolating: name !== 'local',
      claims: CLAIMED[name],
      available: names.includes(name),
      languages: name === 'quickjs' ? ['javascript'] : ['python', 'javascript'],
      reason: names.includes(name) ? 'probed' : 'not here',
    }))

  it('takes the best rung that fits, and quickjs for JavaScript without files', () => {
    expect(choose({ language: 'python' }, all('bubblewrap', 'namespaces', 'local'))).toBe('bubblewrap')
    expect(choose({ language: 'python', allowLocal: true }, all('namespaces', 'local'))).toBe('namespaces')
    expect(choose({ language: 'python', allowLocal: true }, all('quickjs', 'local'))).toBe('local')
    expect(choose({ language: 'javascript' }, all('bubblewrap', 'quickjs'))).toBe('quickjs')
    expect(choose({ language: 'javascript', files: {} }, all('bubblewrap', 'quickjs'))).toBe('bubblewrap')
    expect(choose({ language: 'javascript', level: 'bubblewrap' }, all('bubblewrap', 'quickjs'))).toBe('bubblewrap')
  })

  it('refuses rather than isolate less than asked', () => {
    for (const request of [
      { language: 'python' as const },
      { language: 'python' as const, level: 'bubblewrap' as const, allowLocal: true },
      { language: 'python' as const, level: 'local' as const },
      { language: 'python' as const, level: 'quickjs' as const },
    ]) {
      expect(() => choose(request, all('quickjs', 'local'))).toThrow(/GRD-BOX-001/)
    }
  })
})
