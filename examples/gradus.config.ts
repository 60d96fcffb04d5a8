import { defineConfig } from 'gradus/pipeline'

/** Settings of a run as a module: `npx gradus run examples/gradus.config.ts` (in a checkout after `npm run build`). */
export default defineConfig({
  policy: 'embedded:chains',
  task: 'self-repairing-chain:1',
  annotators: ['monte-carlo:k=4', 'arithmetic'],
  rule: 'consensus',
  seed: '1',
})
