import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadEmbedded } from './load.ts'
import { trainPolicy } from './train-policy.ts'

const out = mkdtempSync(join(tmpdir(), 'gradus-policy-'))
afterAll(() => rmSync(out, { recursive: true }))

describe('trainPolicy', () => {
  it('writes weights and a card that load again, nothing else, and the same bytes from the same recipe', async () => {
    const steps: number[] = []
    const short = { steps: 2, problems: 1 }
    const card = await trainPolicy('tracking', { ...short, out, onStep: (step) => steps.push(step) })
    expect(steps).toEqual([1, 2])
    expect(readdirSync(out).sort()).toEqual(['tracking.json', 'tracking.safetensors'])
    expect(JSON.parse(readFileSync(join(out, 'tracking.json'), 'utf8'))).toEqual(card)
    const model = await loadEmbedded('tracking', { root: out })
    expect(model.config).toEqual(card.config)
    expect(model.tokenizer.encode('\n')).toHaveLength(1)
    model.dispose()
    const bytes = readFileSync(join(out, 'tracking.safetensors'))
    const again = await trainPolicy('tracking', { ...short, out })
    expect(again.sha256).toBe(card.sha256)
    expect(readFileSync(join(out, 'tracking.safetensors')).equals(bytes)).toBe(true)
  }, 120_000)

  it('knows the policies by name', async () => {
    await expect(trainPolicy('poetry', { out })).rejects.toThrow('GRD-MODEL-004')
  })
})
