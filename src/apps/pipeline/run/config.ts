import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import { anyText } from '../../../core/unknown.ts'
import { LEARNERS } from '../../../models/training/learners.ts'
import { VERIFIERS } from '../../../worlds/verifiers/index.ts'
import { parseSpec } from '../spec.ts'

const count = z.number().int().positive()

/** How much a run does. Problems are counted by question; a half belongs to training and tuning, the other to figures. */
const Size = z.strictObject({
  train: count.describe('problems whose traces train the reward models'),
  trainSamples: count.describe('traces of each of them'),
  tune: count.describe('problems on which thresholds are chosen'),
  report: count.describe('problems that the figures come from'),
  reportSamples: count.describe('candidates of each of them, for best of N'),
  seeds: count.describe('independent draws of the candidates and of the training'),
})
export type Size = z.output<typeof Size>

export const SIZES = {
  /** Ends within two minutes on two cores. */
  quick: { train: 100, trainSamples: 4, tune: 60, report: 60, reportSamples: 16, seeds: 1 },
  /** The figures of the README. */
  full: { train: 600, trainSamples: 8, tune: 400, report: 600, reportSamples: 16, seeds: 5 },
} as const satisfies Record<string, Size>

/** What `gradus run` does; the whole of `gradus.yaml`. */
export const RunConfig = z.strictObject({
  $schema: z.string().optional().describe('where an editor finds what fields there are; nothing else reads it'),
  policy: z.string().default('embedded:chains').describe('who writes traces, as in gradus sample --policy'),
  task: z.string().optional().describe('built-in task of the problems, name[:level]; `choose` finds the level'),
  problems: z.string().optional().describe('file of problems instead of a task'),
  key: z.string().optional().describe('NAME of the environment variable with the key of the endpoint'),
  annotators: z.array(z.string()).default(['monte-carlo:k=4', 'arithmetic']).describe('as in gradus label --with'),
  rule: z
    .string()
    .default('first-error-posterior')
    .describe('as in gradus label --rule; with a judge consensus, with tools alone tool-reliability'),
  judge: z.string().optional().describe('model that criticises steps, beside the annotators: http://host/v1#model'),
  reward: z.string().optional().describe('a trained process reward model instead of training one'),
  body: z.string().default('features').describe('what reward models stand on, as in gradus train reward --body'),
  learner: z
    .enum(LEARNERS.map(({ name }) => name) as [string, ...string[]])
    .default('boosting')
    .describe('who learns the head of a body with plain features, as in gradus train reward --learner'),
  fineTune: z.boolean().default(false).describe('train the embedded transformer with the head'),
  size: z.enum(['quick', 'full']).default('quick').describe('how much is done; single numbers may be given too'),
  numbers: Size.partial().default({}).describe('in place of those of the size'),
  beam: z
    .strictObject({ k: count.default(16), beam: count.default(4) })
    .prefault({})
    .describe('step beam: candidates of a step in all, kept of them'),
  seed: z.string().default('0').describe('names every random choice'),
  jobs: count.default(64).describe('calls under way at most'),
  budget: z
    .strictObject({
      tokens: z.number().positive().exactOptional(),
      calls: z.number().positive().exactOptional(),
      cost: z.number().positive().exactOptional(),
      seconds: z.number().positive().exactOptional(),
    })
    .default({})
    .describe('what the run may spend at most'),
})
export type RunConfig = z.output<typeof RunConfig>
/** As written in a file or given in code: what is left out has its default. */
export type RunConfigInput = z.input<typeof RunConfig>

/** For a `gradus.config.ts` of one's own: types and nothing else. */
export function defineConfig(config: RunConfigInput): RunConfigInput {
  return config
}

export function sizeOf(config: RunConfig): Size {
  return Size.parse({ ...SIZES[config.size], ...config.numbers })
}

/** What decides the results: how much may be spent, how fast, where the key is and what an editor reads do not. */
export function whatDecides({ budget: _, jobs: __, key: ___, $schema: ____, ...rest }: RunConfig): Partial<RunConfig> {
  return rest
}

export function runHash(config: RunConfig): string {
  return contentHash(whatDecides(config))
}

/**
 * `.yaml`, `.yml`, `.json`, or a module of the user's own whose default export is the configuration.
 * @throws GradusError GRD-IO-001 where it cannot be opened, GRD-IO-002 where it cannot be read, GRD-CLI-002 for fields
 */
export async function readRunConfig(path: string): Promise<RunConfigInput> {
  const kind = extname(path)
  if (kind === '.ts' || kind === '.mts' || kind === '.mjs' || kind === '.js') {
    try {
      const module: unknown = await import(pathToFileURL(resolve(path)).href)
      return (module as { default: RunConfigInput }).default
    } catch (cause) {
      throw unreadable(path, cause, 'a module whose default export is the configuration')
    }
  }
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new GradusError('GRD-IO-001', { where: { file: path }, cause })
  }
  try {
    if (kind === '.json') return JSON.parse(text) as RunConfigInput
    const { parse } = await import('yaml')
    return (parse(text, { maxAliasCount: 0 }) ?? {}) as RunConfigInput
  } catch (cause) {
    throw unreadable(path, cause, kind === '.json' ? 'JSON' : 'YAML without aliases')
  }
}

/** @throws GradusError GRD-CLI-002 that names the field */
export function checkedConfig(given: unknown, file?: string): RunConfig {
  const read = RunConfig.safeParse(withUsualRule(given))
  if (!read.success) {
    const issue = read.error.issues[0]
    throw new GradusError('GRD-CLI-002', {
      where: { ...(file !== undefined && { file }), field: issue?.path.join('.') ?? '' },
      found: issue?.message ?? 'another shape',
      expected: `fields ${Object.keys(RunConfig.shape).join(', ')}`,
      try: ['gradus run --help'],
    })
  }
  const { task, problems } = read.data
  if (task === undefined || problems === undefined) return read.data
  throw new GradusError('GRD-CLI-002', {
    where: { ...(file !== undefined && { file }), field: 'problems' },
    found: 'a task and a file of problems',
    expected: 'one of them',
  })
}

/** Where no rule is named: one that hears the judge, or one that needs no rollouts where nobody rolls out. */
function withUsualRule(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  if ('judge' in given && given.judge !== undefined) return { rule: 'consensus', ...given }
  const named = 'annotators' in given && Array.isArray(given.annotators) ? given.annotators.map(anyText) : []
  const byToolsAlone = named.length > 0 && named.every(isTool)
  return byToolsAlone ? { rule: 'tool-reliability', ...given } : given
}

function isTool(annotator: string): boolean {
  const name = parseSpec(annotator).name.replace(/^verifier:/, '')
  return VERIFIERS.some((verifier) => verifier.name === name)
}

function unreadable(file: string, cause: unknown, expected: string): GradusError {
  const found = cause instanceof Error ? cause.message.split('\n')[0]! : String(cause)
  return new GradusError('GRD-IO-002', { where: { file }, found, expected, cause })
}
