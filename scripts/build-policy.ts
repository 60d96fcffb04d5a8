/**
 * Trains shipped policies from nothing: `node scripts/build-policy.ts [name] [--steps n] [--threads n] [--out folder]`.
 *
 * Without a name all of them, one after the other. Weights are the same for every number of threads.
 */
import { parseArgs } from 'node:util'
import { installWorkerShim } from '../src/models/training/transformer/worker-shim.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: 'string' },
    threads: { type: 'string', default: '0' },
    out: { type: 'string' },
    seed: { type: 'string' },
    problems: { type: 'string' },
  },
})

const threads = Number(values.threads)
if (threads > 0) installWorkerShim(threads)
const { RECIPES } = await import('../src/models/policies/embedded/recipes.ts')
const { trainPolicy } = await import('../src/models/policies/embedded/train-policy.ts')

const percent = (x: number): string => (100 * x).toFixed(1).padStart(5)

for (const name of positionals.length > 0 ? positionals : RECIPES.map((recipe) => recipe.name)) {
  const card = await trainPolicy(name, {
    ...(values.steps !== undefined && { steps: Number(values.steps) }),
    ...(values.out !== undefined && { out: values.out }),
    ...(values.seed !== undefined && { seed: values.seed }),
    ...(values.problems !== undefined && { problems: Number(values.problems) }),
    onStep(step, steps, loss, speed) {
      if (step % 100 === 0) {
        console.error(`${name}  step ${step} of ${steps}  loss ${loss.toFixed(4)}  ${Math.round(speed)} tokens/s`)
      }
    },
    onRates({ task, level, passAt1, passAtN, samples, noAnswer }) {
      const rates = `pass@1 ${percent(passAt1)}  pass@${samples} ${percent(passAtN)}  no answer ${percent(noAnswer)}`
      console.error(`${task.padEnd(22)} level ${level}  ${rates}`)
    },
  })
  console.log(`${name}  ${card.training.tokens} tokens in ${card.training.seconds} s  loss ${card.training.loss}`)
}
// Worker threads of jax-js cannot be closed.
process.exit(0)
