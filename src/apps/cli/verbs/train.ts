import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { EXIT, verb } from '../verb.ts'
import { REWARD_OPTIONS } from './train-reward-options.ts'

const Options = z.object({
  output: z
    .string()
    .optional()
    .describe('policy: folder for weights and cards, that of the package where not given; reward: the model.json'),
  steps: z.number().int().positive().optional().describe('policy: steps of each stage at most, for a quick look'),
  problems: z.number().int().positive().optional().describe('policy: held-out problems a level for the figures; 200'),
  seed: z
    .string()
    .optional()
    .describe('policy: seed of those problems, `report` where not given; reward: of every random choice, 0'),
  ...REWARD_OPTIONS,
  threads: z.number().int().min(0).default(0).describe('worker threads; the weights are the same for every number'),
  json: z.boolean().default(false).describe('cards as JSON, one a line'),
})

/** Steps between two lines of progress. */
const EVERY = 100

export const train = verb({
  name: 'train',
  summary: 'trains reward models on labelled traces, or the embedded policies from nothing',
  arguments: 'reward <file...> | policy [name...]',
  options: Options,
  examples: [
    'gradus train reward labelled.jsonl -o model.json',
    'gradus train reward labelled.jsonl --body embedded:chains+features --labels hard -o process.json',
    'gradus train reward sampled.jsonl --kind outcome --learner boosting -o outcome.json',
    'gradus train policy game24 --steps 100 -o weights-look',
  ],
  async run([what, ...names], options, terminal) {
    if (what !== 'policy' && what !== 'reward') {
      throw new GradusError('GRD-CLI-001', {
        found: what ?? 'nothing to train',
        expected: 'reward or policy',
        try: ['gradus train reward labelled.jsonl -o model.json', 'gradus train policy game24'],
      })
    }
    if (options.threads > 0) {
      const { installWorkerShim } = await import('../../../models/training/transformer/worker-shim.ts')
      // Before the numerical backend is imported.
      installWorkerShim(options.threads)
    }
    if (what === 'reward') {
      const { trainRewardVerb } = await import('./train-reward.ts')
      const code = await trainRewardVerb(names, options, terminal)
      // Worker threads of the numerical backend cannot be closed.
      if (options.threads > 0) process.exit(code)
      return code
    }
    const { RECIPES } = await import('../../../models/policies/embedded/recipes.ts')
    const { trainPolicy } = await import('../../../models/policies/embedded/train-policy.ts')
    const known = RECIPES.map((recipe) => recipe.name)
    const foreign = names.find((name) => !known.includes(name))
    if (foreign !== undefined) {
      throw new GradusError('GRD-MODEL-004', { found: foreign, expected: `one of ${known.join(', ')}` })
    }
    for (const name of names.length > 0 ? names : known) {
      const card = await trainPolicy(name, {
        ...(options.steps !== undefined && { steps: options.steps }),
        ...(options.output !== undefined && { out: options.output }),
        ...(options.seed !== undefined && { seed: options.seed }),
        ...(options.problems !== undefined && { problems: options.problems }),
        onStep(step, steps, loss, speed) {
          if (step % EVERY > 0 && step < steps) return
          const rate = `${Math.round(speed).toLocaleString('en-US')} tokens/s`
          terminal.err(`  ${name}   step ${step} of ${steps}   loss ${loss.toFixed(4)}   ${rate}\n`)
        },
        onRates({ task, level, passAt1, passAtN, samples, noAnswer }) {
          const rates = `pass@1 ${percent(passAt1)}   pass@${samples} ${percent(passAtN)}   no answer ${percent(noAnswer)}`
          if (!options.json) terminal.out(`  ${task.padEnd(22)} level ${level}   ${rates}\n`)
        },
      })
      const { tokens, seconds, loss } = card.training
      const line = `  ${name}   ${tokens.toLocaleString('en-US')} tokens in ${seconds.toLocaleString('en-US')} s   loss ${loss}\n`
      terminal.out(options.json ? `${JSON.stringify(card)}\n` : line)
    }
    // Worker threads of the numerical backend cannot be closed.
    if (options.threads > 0) process.exit(EXIT.done)
    return EXIT.done
  },
})

const percent = (x: number): string => (100 * x).toFixed(1).padStart(5)
