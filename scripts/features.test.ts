import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { features } from './features.ts'

it('FEATURES.md is what the catalogue and the recorded replications say (npm run build:features)', () => {
  expect(readFileSync(join(import.meta.dirname, '..', 'FEATURES.md'), 'utf8')).toBe(features())
})
