import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { openTraces } from '../../io/read.ts'
import { packageRoot } from '../package-root.ts'
import { findFirstError } from './find-first-error.ts'
import { ask, plainServices, textOf } from './testing/ask.ts'

const root = join(packageRoot(), 'examples', 'traces')
const services = plainServices(root)

async function look(args: unknown, own = services) {
  const result = await ask(findFirstError, args, own)
  expect(result.isError).not.toBe(true)
  return { ...(result.structuredContent as z.output<typeof findFirstError.output>), words: textOf(result) }
}

describe('find_first_error', () => {
  it('says which step is the first wrong one, with the evidence and what would be right', async () => {
    const said = await look({ problem: 'What is 17+28-5?', steps: ['17+28=45', '45-5=30', 'The answer is 30.'] })
    expect(said).toMatchObject({
      firstError: 1,
      counts: { steps: 3, correct: 1, incorrect: 1, unknown: 1 },
      leftOut: 0,
      problems: [],
    })
    expect(said.steps[1]).toMatchObject({
      index: 1,
      text: '45-5=30',
      verdict: 'incorrect',
      evidence: [
        { by: 'verifier:arithmetic', verdict: 'incorrect', failed: [{ found: '45-5 = 30', expected: '40' }] },
        { by: 'verifier:multistep-arithmetic', verdict: 'incorrect' },
      ],
    })
    expect(said.reason).toBe('verifier:arithmetic: 45-5 = 30 does not hold: the left side is 40')
    expect(said.words).toMatch(/^First wrong step: 1, counted from 0 \(probability [\d.]+\)\.\n {2}1 {2}45-5=30\n/)
  })

  it('tells a run without an error from one about which nobody can say anything, with the reason', async () => {
    const clean = await look({ problem: 'What is 17+28-5?', steps: ['17+28=45', '45-5=40'] })
    expect([clean.firstError, clean.reason]).toEqual([-1, 'every step is right'])
    const silent = await look({
      problem: 'Write a poem.',
      steps: ['Roses = red.', 'Violets are blue.'],
      with: ['arithmetic'],
    })
    expect(silent).toMatchObject({
      firstError: null,
      probability: null,
      reason: 'no step could be decided by verifier:arithmetic',
      counts: { unknown: 2 },
      annotators: [{ name: 'verifier:arithmetic', decided: 0, silent: 2 }],
    })
    expect(silent.words).toMatch(/^Cannot say: /)
    const foreign = await look({ problem: 'Write.', steps: ['Roses.'], with: ['object-tracking'] })
    expect([foreign.firstError, foreign.reason]).toEqual([null, 'no annotator applies to such a run'])
    const open = await look({ problem: 'Add.', steps: ['2 + 3 = 5', ...Array.from({ length: 9 }, () => 'So.')] })
    expect([open.firstError, open.reason]).toEqual([
      null,
      expect.stringMatching(/^9 of 10 steps are undecided, which leaves "no error" at probability 0\.\d\d$/),
    ])
  })

  it('holds calls of tools against what is offered', async () => {
    const tools = [{ name: 'search', parameters: { type: 'object', properties: { q: { type: 'string' } } } }]
    const steps = [
      { tool: 'search', input: { q: 'a' }, observation: 'found a' },
      { tool: 'find', input: {} },
    ]
    const said = await look({ problem: 'Find a.', steps, tools })
    expect(said.firstError).toBe(1)
    expect(said.steps.map((s) => s.text)).toEqual(['search({"q":"a"}) → found a', 'find({})'])
  })

  it('does not take for its own what the file says: labels and evidence of others change nothing', async () => {
    const said = await look({ path: 'mathematics.jsonl', id: 'book-exchange' })
    expect(said.steps.flatMap((s) => s.evidence.map((e) => e.by))).not.toContain('human:gradus')
    expect(said.firstError).toBe(2)
  })

  it('runs code only where the server may', async () => {
    const steps = ['```javascript\nconsole.log(6 * 7)\n```\nOutput:\n```\n41\n```']
    expect((await look({ problem: 'Multiply.', steps })).firstError).toBeNull()
    const allowed = await look({ problem: 'Multiply.', steps }, plainServices(root, { allowCode: true }))
    expect(allowed).toMatchObject({ firstError: 0, reason: expect.stringContaining('javascript-execution') })
  })

  it('shows the steps that matter, in order, and counts the others', async () => {
    const truth = fc.array(fc.constantFrom('right', 'wrong', 'open'), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(truth, fc.integer({ min: 1, max: 30 }), async (kinds, maxSteps) => {
        const steps = kinds.map((kind, i) => (kind === 'open' ? 'So.' : `${i} + 4 = ${i + (kind === 'wrong' ? 5 : 4)}`))
        const said = await look({ problem: 'Add.', steps, maxSteps, with: ['arithmetic'] })
        const shown = said.steps.map((s) => s.index)
        expect(shown).toEqual([...shown].sort((a, b) => a - b))
        expect(shown).toHaveLength(Math.min(maxSteps, steps.length))
        expect(said.leftOut).toBe(steps.length - shown.length)
        const first = kinds.indexOf('wrong')
        if (first >= 0) {
          expect(said.firstError).toBe(first)
          expect(shown).toContain(first)
        } else expect(said.firstError ?? -1).toBe(-1)
        const rank = { wrong: 0, right: 1, open: 2 }
        const least = Math.max(...shown.map((i) => rank[kinds[i]!]))
        for (const [i, kind] of kinds.entries())
          if (!shown.includes(i)) expect(rank[kind]).toBeGreaterThanOrEqual(least)
      }),
      { numRuns: 40 },
    )
  })

  it('answers about a very long run in few words, and shows doubts that are no votes', async () => {
    const long = 'We go on to the next one. '.repeat(80)
    const steps = Array.from({ length: 5_000 }, (_, i) => (i === 4_000 ? '7 + 4 = 12' : long))
    const said = await look({ problem: 'Add.', steps, with: ['arithmetic'] })
    // Far into a run a slip mostly follows an error that no calculation shows.
    expect(said).toMatchObject({ firstError: null, doubts: [4_000], leftOut: 4_960 })
    expect(said.steps.at(-1)).toMatchObject({
      index: 4_000,
      verdict: 'unknown',
      risk: null,
      evidence: [{ by: 'verifier:arithmetic', verdict: 'unknown', failed: [{ found: '7+4 = 12', expected: '11' }] }],
    })
    expect(said.words).toContain('7+4 = 12 does not hold')
    expect(JSON.stringify(said).length).toBeLessThan(60_000)
  })

  it('gives no secret of a run away', async () => {
    const key = `sk-${'Ab3'.repeat(12)}`
    const said = await look({ problem: `Use ${key}.`, steps: [`${key} has 7 + 4 = 12`] })
    expect(JSON.stringify(said)).not.toContain('Ab3Ab3')
    expect(said.steps[0]?.text).toContain('[redacted:provider-key]')
  })

  const data = join(process.env['GRADUS_DATA'] ?? '', 'big-bench-mistake')
  it.skipIf(!existsSync(data))('finds published first errors of real runs (needs GRADUS_DATA)', async () => {
    const name = 'tracking_shuffled_objects.jsonl.gz'
    const { batches } = await openTraces(join(data, name))
    let found = 0
    let asked = 0
    for await (const batch of batches) {
      for (const { id, labels } of batch) {
        const gold = labels?.find((l) => l.meaning === 'first-error')?.value ?? null
        if (gold === null || gold < 0 || asked >= 20) continue
        asked++
        if ((await look({ path: name, id }, plainServices(data))).firstError === gold) found++
      }
      break
    }
    expect([asked, found >= 18]).toEqual([20, true])
  })
})
