import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Real data sets are never part of the project; tests that want them say plainly when they are absent. */
const beside = resolve(import.meta.dirname, '../shared/data')
const data = process.env.GRADUS_DATA ?? (existsSync(beside) ? beside : '')

/** `*.full.test.ts` are the long ones: `npm run test:full`. */
const full = process.env.GRADUS_FULL === '1'

/** Examples import the package by its name; tests run them on the sources. */
const sources = {
  improve: 'improve',
  io: 'io',
  label: 'label',
  models: 'models',
  pipeline: 'apps/pipeline',
  worlds: 'worlds',
}
const alias = Object.fromEntries(
  Object.entries(sources).map(([name, room]) => [
    `gradus/${name}`,
    resolve(import.meta.dirname, `src/${room}/index.ts`),
  ]),
)

export default defineConfig({
  resolve: { alias },
  test: {
    include: full ? ['**/*.full.test.ts'] : ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', ...(full ? [] : ['**/*.full.test.ts'])],
    env: data === '' ? {} : { GRADUS_DATA: data },
    setupFiles: ['src/testing/property-seed.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
})
