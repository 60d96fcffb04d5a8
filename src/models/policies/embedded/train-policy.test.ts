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
    const card = await trainPolicy('imperative', { ...short, out, onStep: (step) => steps.push(step) })
    expect(steps).toEqual([1, 2])
    expect(readdirSync(out).sort()).toEqual(['imperative.json', 'imperative.safetensors'])
    expect(JSON.parse(readFileSync(join(out, 'imperative.json'), 'utf8'))).toEqual(card)
    const model = await loadEmbedded('imperative', { root: out })
    expect(model.config).toEqual(card.config)
    expect(model.tokenizer.encode('\n')).toHaveLength(1)
    model.dispose()
    const bytes = readFileSync(join(out, 'imperative.safetensors'))
    const again = await trainPolicy('imperative', { ...short, out })
    expect(again.sha256).toBe(card.sha256)
    expect(readFileSync(join(out, 'imperative.safetensors')).equals(bytes)).toBe(true)
  }, 120_000)

  it('knows the policies by name', async () => {
    await expect(trainPolicy('poetry', { out })).rejects.toThrow('GRD-MODEL-004')
  })
})
