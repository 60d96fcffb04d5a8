import { z } from 'zod'
import { REPLICATIONS } from '../../../../replications/index.ts'
import { GradusError } from '../../../core/errors.ts'
import { openText } from '../../../io/write.ts'
import type { Replication } from '../../../prove/replication.ts'
import { replicationText } from '../show/replication.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  full: z
    .boolean()
    .default(false)
    .describe('all seeds and problems, as in the docs; else a run of less than two minutes'),
  output: z.string().optional().describe('write what was found as JSON'),
  seed: z.string().default('0').describe('name of the seed of every random choice'),
  json: z.boolean().default(false).describe('what was found as one JSON object'),
})

export const replicate = verb({
  name: 'replicate',
  summary: "a paper's claim against its controls",
  arguments: '[paper]',
  options: Options,
  examples: ['gradus replicate', 'gradus replicate omegaprm', 'gradus replicate prm-lessons --full -o result.json'],
  async run([paper], options, terminal) {
    if (paper === undefined) {
      terminal.out(options.json ? `${JSON.stringify(REPLICATIONS.map(described))}\n` : listing())
      return EXIT.done
    }
    const replication = REPLICATIONS.find((one) => one.paper === paper)
    if (!replication) {
      throw new GradusError('GRD-LABEL-001', {
        found: paper,
        expected: `one of ${REPLICATIONS.map((one) => one.paper).join(', ')}`,
        try: ['gradus replicate'],
      })
    }
    const result = await replication.run({
      quick: !options.full,
      seed: options.seed,
      progress: (line) => terminal.interactive && terminal.err(`  ${line}\n`),
    })
    const json = `${JSON.stringify({ ...described(replication), mode: options.full ? 'full' : 'quick', seed: options.seed, ...result })}\n`
    if (options.output !== undefined) {
      const out = await openText(options.output)
      await out.write(json)
      await out.close()
    }
    terminal.out(options.json ? json : replicationText(replication, result))
    return EXIT.done
  },
})

function listing(): string {
  const width = Math.max(...REPLICATIONS.map((one) => one.paper.length))
  return [
    ...REPLICATIONS.map((one) => `  ${one.paper.padEnd(width)}   ${one.claim}`),
    '',
    '  next: gradus replicate omegaprm',
    '',
  ].join('\n')
}

function described({ paper, title, claim, failsIf, setting }: Replication) {
  return { paper, title, claim, failsIf, setting }
}
