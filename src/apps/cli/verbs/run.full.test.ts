import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readTraces } from '../../../io/read.ts'
import { callVerb } from '../testing/run-gradus.ts'
import { run } from './run.ts'

it('traces that the reward model cannot read are counted, and end no run', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-run-'))
  const config = join(folder, 'gradus.yaml')
  // Some texts of this level are longer than the context of the transformer.
  writeFileSync(
    config,
    `
policy: task:slip=.15
task: self-repairing-chain:2
annotators: [monte-carlo:k=3, arithmetic]
numbers: { train: 60, trainSamples: 3, tune: 20, report: 20, reportSamples: 4, seeds: 1 }
body: likelihood:chains
beam: { k: 4, beam: 2 }
`,
  )
  const { code } = await callVerb(run, [config, '--folder', join(folder, 'run')])
  expect(code).toBe(0)
  const { traces } = await readTraces(join(folder, 'run', 'located.jsonl'))
  expect(traces.some((t) => t.verdict?.firstError === null)).toBe(true)
  expect(traces.some((t) => (t.verdict?.firstError ?? -1) >= 0)).toBe(true)
})
