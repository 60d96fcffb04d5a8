import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import type { Trace } from '../../../core/words.ts'
import { Engine } from '../../../engine/engine.ts'
import type { Credit } from '../../../improve/credit/credit.ts'
import { CREDITS } from '../../../improve/credit/index.ts'
import { leftOut, openTraces, untilDamaged } from '../../../io/read.ts'
import { refuseInputAsOutput } from '../../../io/target.ts'
import { recordWriter } from '../../../io/write.ts'
import { type CreditRecord, creditSources, creditTraces, type References } from '../../pipeline/credit.ts'
import { openPolicy, readPolicySpec } from '../../pipeline/open-policy.ts'
import { referenceLogprobs } from '../../pipeline/reference-logprobs.ts'
import { parseSpec, specOptions } from '../../pipeline/spec.ts'
import { count } from '../show/style.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  with: z
    .string()
    .default('outcome')
    .describe('method with options: dual:coef=.3, tree:form=local; see gradus methods credits'),
  scores: z
    .string()
    .optional()
    .describe(
      'whose labels say how right a step is, by their source (reward:NAME, a rule, verdict); the only one there is',
    ),
  values: z
    .string()
    .optional()
    .describe('whose labels say how good a state is (a rule, rollouts); the only one there is'),
  reference: z.string().optional().describe('reference policy of log-ratio, in this process: embedded:NAME'),
  output: z
    .string()
    .optional()
    .describe(
      'file to write, one row an attempt with the advantage of every step and token; .gz and .parquet understood',
    ),
  format: z.string().optional().describe('format of the input where detection is wrong'),
  json: z.boolean().default(false).describe('the summary as one JSON object'),
})

export const credit = verb({
  name: 'credit',
  summary: 'how much each step of an attempt deserves: advantages for policy training',
  arguments: '<file...>',
  options: Options,
  examples: [
    'gradus credit attempts.jsonl -o credited.jsonl',
    'gradus credit labelled.jsonl --with dual:coef=.3 --scores reward:model -o credited.jsonl',
    'gradus credit attempts.jsonl --with log-ratio:eta=2 --reference embedded:chains -o credited.jsonl',
  ],
  async run(files, options, terminal) {
    const { method, settings } = creditNamed(options.with)
    await refuseInputAsOutput(files, options.output)
    const { traces, lost } = await readAll(files, options.format)
    if (traces.every(({ outcome }) => outcome === undefined)) {
      throw new GradusError('GRD-LABEL-004', {
        found: `${count(traces.length)} attempts without an outcome`,
        expected: 'attempts that are known to have succeeded or failed',
        try: ['gradus sample ... -o attempts.jsonl   (checks the answers)'],
      })
    }
    const sources = creditSources(traces, options)
    for (const need of method.needs) {
      const missing = need === 'reference' ? options.reference === undefined : sources[need] === null
      if (missing) throw lacking(method, need)
    }
    const references = options.reference === undefined ? undefined : await referenceOf(traces, options.reference)
    const { records, groups } = creditTraces(traces, method, settings, sources, references)
    if (options.output !== undefined) await write(options.output, records)
    const flagged = (flag: string): number => records.filter(({ flags }) => flags.some((f) => f === flag)).length
    const own = records.flatMap(({ steps }) => steps.filter((step) => step.own))
    const summary = {
      method: method.name,
      scores: method.needs.includes('scores') ? sources.scores : null,
      values: method.needs.includes('values') ? sources.values : null,
      attempts: records.length,
      groups: groups.length,
      alone: groups.filter(({ size }) => size === 1).length,
      deadGroups: groups.filter(({ dead }) => dead).length,
      noOutcome: flagged('no-outcome'),
      partlyUnscored: flagged('unscored'),
      steps: own.length,
      rewarded: own.filter(({ advantage }) => advantage > 0).length,
      punished: own.filter(({ advantage }) => advantage < 0).length,
    }
    const say = options.output === '-' ? terminal.err : terminal.out
    say(options.json ? `${JSON.stringify(summary)}\n` : shown(summary, options.output))
    return lost > 0 ? EXIT.lost : EXIT.done
  },
})

/** @throws GradusError GRD-CLI-002 */
function creditNamed(text: string): { method: Credit; settings: Record<string, unknown> } {
  const spec = parseSpec(text)
  const method = CREDITS.find(({ name }) => name === spec.name)
  if (!method) {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--with' },
      found: spec.name,
      expected: `one of ${CREDITS.map(({ name }) => name).join(', ')}`,
      try: ['gradus methods credits'],
    })
  }
  return { method, settings: specOptions(spec, method.options) }
}

async function readAll(
  files: readonly string[],
  format: string | undefined,
): Promise<{ traces: Trace[]; lost: number }> {
  const traces: Trace[] = []
  let lost = 0
  for (const file of files) {
    const { report, batches } = await openTraces(file, { ...(format !== undefined && { format }) })
    for await (const batch of untilDamaged(batches, report, false)) traces.push(...batch)
    lost += leftOut(report)
  }
  return { traces, lost }
}

async function referenceOf(traces: readonly Trace[], text: string): Promise<References> {
  const spec = readPolicySpec(text)
  if (spec.kind !== 'embedded') {
    throw new GradusError('GRD-CLI-002', {
      where: { field: '--reference' },
      found: text,
      expected: 'embedded or embedded:NAME',
      try: ['a trainer that holds the reference itself needs --with outcome, and adds its own term'],
    })
  }
  const engine = new Engine({})
  const { signal } = new AbortController()
  try {
    const { policy } = await openPolicy(
      spec,
      engine,
      { prompt: 'text', samples: 1, by: 'gradus credit', needsLogprobs: true },
      signal,
    )
    return await referenceLogprobs(traces, policy, signal)
  } finally {
    await engine.close()
  }
}

function lacking(method: Credit, need: 'scores' | 'values' | 'reference'): GradusError {
  const help = {
    scores: [
      'gradus score attempts.jsonl --reward model.json -o scored.jsonl',
      'gradus label attempts.jsonl -o labelled.jsonl',
    ],
    values: ['gradus label attempts.jsonl --with monte-carlo:k=8 --rule soft --policy embedded -o labelled.jsonl'],
    reference: ['--reference embedded:chains'],
  }
  return new GradusError('GRD-LABEL-004', {
    where: { field: `--with ${method.name}` },
    found: `attempts without ${need === 'reference' ? 'a reference' : need}`,
    expected: `what ${method.name} reads`,
    try: help[need],
  })
}

async function write(path: string, records: readonly CreditRecord[]): Promise<void> {
  const out = await recordWriter<CreditRecord>(path)
  try {
    await out.write(records)
  } catch (error) {
    await out.abandon()
    throw error
  }
  await out.close()
}

function shown(
  s: Record<
    'attempts' | 'groups' | 'alone' | 'deadGroups' | 'noOutcome' | 'partlyUnscored' | 'steps' | 'rewarded' | 'punished',
    number
  > & {
    method: string
    scores: string | null
    values: string | null
  },
  output: string | undefined,
): string {
  const read = [s.scores, s.values].filter((name) => name !== null)
  return [
    `  ${s.method}${read.length > 0 ? ` by ${read.join(' and ')}` : ''}   ${count(s.attempts)} attempts at ${count(s.groups)} problems   ${count(s.steps)} steps: ${count(s.rewarded)} up, ${count(s.punished)} down`,
    ...(s.deadGroups > 0 ? [`  all outcomes equal at ${count(s.deadGroups)} problems`] : []),
    ...(s.alone > 0 ? [`  one attempt only at ${count(s.alone)} problems`] : []),
    ...(s.noOutcome > 0 ? [`  no outcome: ${count(s.noOutcome)} attempts, left at 0`] : []),
    ...(s.partlyUnscored > 0 ? [`  steps without a score or value in ${count(s.partlyUnscored)} attempts`] : []),
    ...(output === undefined || output === '-' ? [] : [`  ${output}`]),
    '',
  ].join('\n')
}
