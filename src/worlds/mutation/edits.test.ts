import { describe, expect, it } from 'vitest'
import { pythonEdits } from './edits.ts'

async function candidates(code: string): Promise<string[]> {
  const editable = await pythonEdits(code)
  return (editable?.edits ?? []).map((e) => `${e.operator}: ${e.candidate}`)
}

describe('pythonEdits', () => {
  it('keeps words apart where the code has no space', async () => {
    const all = await candidates('def f(x, n):\n    while(x):\n        x -= 1\n    return(n)\n')
    expect(all).toContain('double negation: while not not ((x)):')
    expect(all).toContain('returns nothing: return None')
  })

  it('renames a variable throughout its function, and nothing that only looks like it', async () => {
    const code = 'def f(xs):\n    count = 0\n    for x in xs:\n        count += x.count\n    return count\n'
    const editable = await pythonEdits(code)
    const renamed = editable?.edits.find((e) => e.operator === 'renamed variable')?.program
    expect(renamed).toBe(
      'def f(xs):\n    count_renamed = 0\n    for x in xs:\n        count_renamed += x.count\n    return count_renamed\n',
    )
  })

  it.each([
    'def f(x):\n    y = x\n    return g(y=y)\n',
    'def f(x):\n    y = x\n    return locals()\n',
    'def f(x):\n    global y\n    y = x\n    return y\n',
  ])('renames nothing that may be known by its name: %j', async (code) => {
    expect((await candidates(code)).filter((c) => c.startsWith('renamed'))).toEqual([])
  })

  it('changes nothing but the statement, except by renaming', async () => {
    const code = 'def f(a, b):\n    if a < b:\n        a += 2\n    return a * b\n'
    const editable = await pythonEdits(code)
    for (const edit of editable?.edits ?? []) {
      const { start = 0, end = 0 } = editable?.statements[edit.statement] ?? {}
      if (edit.operator === 'renamed variable') continue
      expect(edit.program).toBe(code.slice(0, start) + edit.candidate + code.slice(end))
    }
    expect(editable?.edits.length).toBeGreaterThan(8)
  })

  it('reads nothing into text that is no program', async () => {
    expect(await pythonEdits('def f(:\n  return')).toBeNull()
    expect(await pythonEdits('')).toEqual({ statements: [], edits: [] })
  })
})
