import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadEmbedded } from './load.ts'
import { trainPolicy } from './train-policy.ts'

const out = mkdtempSync(join(tmpdir(), 'gradus-policy-'))
afterAll(() => rmSync(out, { recursive: true }))

describe('trainPolicy', () => {
  it('writes weights and a card that load again, and nothing else', async () => {
    const steps: number[] = []
    const card = await trainPolicy('game24', { out, steps: 2, problems: 1, onStep: (step) => steps.push(step) })
    expect(steps).toEqual([1, 2])
    expect(readdirSync(out).sort()).toEqual(['game24.json', 'game24.safetensors'])
    expect(JSON.parse(readFileSync(join(out, 'game24.json'), 'utf8'))).toEqual(card)
    const model = await loadEmbedded('game24', { root: out })
    expect(model.config).toEqual(card.config)
    expect(model.tokenizer.encode('\n')).toHaveLength(1)
    model.dispose()
  }, 120_000)

  it('knows the policies by name', async () => {
    await expect(trainPolicy('poetry', { out })).rejects.toThrow('GRD-MODEL-004')
  })
})
