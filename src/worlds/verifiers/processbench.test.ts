import { describe, expect, it } from 'vitest'
import { type Half, half, questionOf } from '../../core/split.ts'
import { wilson } from '../../core/stats/index.ts'
import type { Trace } from '../../core/words.ts'
import { readTraces } from '../../io/read.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { algebra } from './algebra.ts'
import { arithmetic } from './arithmetic.ts'

async function count(paths: string[], side: Half) {
  const out = { clean: 0, alarms: 0, flagged: 0, first: 0 }
  for (const path of paths) {
    for (const trace of (await readTraces(path)).traces) {
      if (half(questionOf(trace.problem)) !== side) continue
      const gold = trace.labels?.find((l) => l.meaning === 'first-error')?.value ?? -1
      const found = await firstFlagged(trace)
      if (gold < 0) out.clean++
      if (found < 0) continue
      if (gold < 0) out.alarms++
      else out.flagged++
      if (gold === found) out.first++
    }
  }
  return out
}

async function firstFlagged(trace: Trace): Promise<number> {
  const context = { allowCode: false, allowLocalExec: false }
  const all = await Promise.all([arithmetic, algebra].map((v) => v.verify(trace, context)))
  return trace.steps.findIndex((_, i) => all.some((f) => f[i]?.verdict === 'incorrect'))
}

const parts = ['gsm8k', 'math', 'olympiadbench', 'omnimath'].map((p) => dataFile('processbench', `${p}.json.gz`))

describe.skipIf(noData('processbench'))('arithmetic and algebra on ProcessBench (GRADUS_DATA), report half', () => {
  it('flag few traces, almost none of them without an error', async () => {
    const { clean, alarms, flagged, first } = await count(parts, 'report')
    const share = wilson(first, flagged)
    console.log({ flagged, first, share: share.value.toFixed(2), low: share.low.toFixed(2), alarms, clean })
    expect(flagged).toBeGreaterThanOrEqual(25)
    expect(alarms / clean).toBeLessThanOrEqual(0.01)
    // Eight in ten were aimed at and reached on the tune half; here an unseen error of reasoning comes first more often.
    expect(share.value).toBeGreaterThanOrEqual(0.6)
  })
})

describe.skipIf(noData('mr-gsm8k'))('arithmetic and algebra on MR-GSM8K (GRADUS_DATA), report half', () => {
  it("find people's first error where they flag", async () => {
    const path = dataFile('mr-gsm8k', 'mr_gsm8k_original_first_error.json.gz')
    const { clean, alarms, flagged, first } = await count([path], 'report')
    expect(flagged).toBeGreaterThanOrEqual(50)
    expect(wilson(first, flagged).low).toBeGreaterThanOrEqual(0.7)
    expect(alarms / clean).toBeLessThanOrEqual(0.01)
  })
})
