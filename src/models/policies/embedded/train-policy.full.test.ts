import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { shippedCards } from './cards.ts'
import { trainPolicy } from './train-policy.ts'

/** The one that is trained fastest. */
const NAME = 'hopworld'

it('training a shipped policy again gives the shipped bytes', async () => {
  const out = mkdtempSync(join(tmpdir(), 'gradus-again-'))
  try {
    const shipped = shippedCards().find(({ name }) => name === NAME)
    const again = await trainPolicy(NAME, { out, problems: 2 })
    expect(again.sha256).toBe(shipped?.sha256)
  } finally {
    rmSync(out, { recursive: true })
  }
}, 900_000)
