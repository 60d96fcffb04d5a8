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
  // So little is learnt from 180 traces that no step need be called wrong; each that can be read has its risk all the same.
  const risks = traces.map(({ verdict }) => verdict?.risk ?? [])
  expect(risks.some((own) => own.every((risk) => risk === null))).toBe(true)
  expect(risks.some((own) => own.every((risk) => risk !== null))).toBe(true)
  expect(risks.every((own) => new Set(own.map((risk) => risk === null)).size === 1)).toBe(true)
})
