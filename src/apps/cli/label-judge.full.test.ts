import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { startSumJudge } from '../../models/rewards/testing/sum-judge.ts'
import { runGradus, startGradus } from './testing/run-gradus.ts'

// Processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 120_000 })

const folder = mkdtempSync(join(tmpdir(), 'gradus-judge-kill-'))
afterAll(() => rmSync(folder, { recursive: true }))

const TRACES = 30
const file = join(folder, 'runs.jsonl')
writeFileSync(
  file,
  Array.from(
    { length: TRACES },
    (_, i): Trace => ({
      id: `t${i}`,
      problem: { id: `t${i}`, prompt: `Problem ${i}` },
      steps: [{ text: `${i} + 1 = ${i % 3 === 0 ? i : i + 1}`, kind: 'thought' }],
      source: { generator: '', dataset: '', licence: 'MIT' },
    }),
  )
    .map((trace) => `${JSON.stringify(trace)}\n`)
    .join(''),
)

describe('a judge run that is broken off', () => {
  it.each([
    ['SIGKILL', null, 4],
    ['SIGINT', 130, 0],
  ] as const)('by %s goes on where it stopped, with the labels of a run in one go', async (signal, code, twice) => {
    const judge = await startSumJudge({ latencyMs: 60 })
    const args = [
      'label',
      file,
      '--judge',
      `${judge.url}#test`,
      '-j',
      '4',
      '--cache',
      `${signal}.sqlite`,
      '-o',
      `${signal}.jsonl`,
    ]
    const judged = () => [...judge.seen].filter(([body]) => body.includes('step 1>>'))
    try {
      const first = startGradus(folder, args)
      await vi.waitFor(() => expect(judged().length).toBeGreaterThan(8), { timeout: 60_000, interval: 10 })
      first.child.kill(signal)
      expect((await first.ended).code).toBe(code)
      expect(judged().length).toBeLessThan(TRACES)
      const out = join(folder, `${signal}.jsonl`)
      // A kill leaves nothing half-written under the name; Ctrl-C what was finished.
      expect(existsSync(out)).toBe(signal === 'SIGINT')

      const again = await runGradus(folder, args)
      expect(again.code).toBe(0)
      const firstErrors = readFileSync(out, 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as Trace).verdict?.firstError)
      expect(firstErrors).toEqual(Array.from({ length: TRACES }, (_, i) => (i % 3 === 0 ? 0 : -1)))
      expect(judged()).toHaveLength(TRACES)
      // Only calls that were under way when the process was killed are paid for twice.
      expect(judged().filter(([, times]) => times > 1).length).toBeLessThanOrEqual(twice)
    } finally {
      await judge.close()
    }
  })
})
