import { z } from 'zod'
import { explain, GradusError } from '../../../core/errors.ts'
import { auroc, mean } from '../../../core/stats/index.ts'
import { Engine } from '../../../engine/engine.ts'
import { leftOut, openTraces, untilDamaged } from '../../../io/read.ts'
import { refuseInputAsOutput } from '../../../io/target.ts'
import { traceWriter } from '../../../io/write.ts'
import { AGGREGATORS, type AggregatorName, aggregate } from '../../../models/rewards/aggregators.ts'
import { decimal } from '../../../prove/report/text.ts'
import { openReward, REWARD_FORMS, readRewardSpec, rewardHost } from '../../pipeline/open-reward.ts'
import { scoreTraces } from '../../pipeline/score.ts'
import { count } from '../show/style.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  reward: z.string().optional().describe(`who scores: ${REWARD_FORMS}`),
  output: z.string().optional().describe('native traces with the scores as labels `reward:<name>`, one a line'),
  format: z.string().optional().describe('format of the input where detection is wrong'),
  json: z.boolean().default(false).describe('the summary as one JSON object'),
})

export const score = verb({
  name: 'score',
  summary: 'step scores of a reward model for every trace',
  arguments: '<file...>',
  options: Options,
  examples: ['gradus score traces.jsonl --reward model.json -o scored.jsonl'],
  async run(files, options, terminal) {
    if (files.length === 0 || options.reward === undefined) {
      throw new GradusError('GRD-CLI-001', {
        found: files.length === 0 ? 'no file' : 'no reward model',
        expected: 'files with traces, and --reward',
        try: ['gradus score traces.jsonl --reward model.json -o scored.jsonl'],
      })
    }
    const spec = readRewardSpec(options.reward)
    if (rewardHost(spec) !== null) {
      throw new GradusError('GRD-CLI-002', {
        where: { field: '--reward' },
        found: `${options.reward}, to which traces would be sent`,
        expected: 'a reward model in this process',
        try: [`gradus label ${files[0]} --reward ${options.reward} --dry-run   (says what goes where first)`],
      })
    }
    await refuseInputAsOutput(files, options.output)
    const engine = new Engine({})
    const reward = await openReward(spec, engine)
    const writer = options.output === undefined ? null : await traceWriter(options.output)
    const lines: { scores: (number | null)[]; outcome: number | undefined }[] = []
    const lost = new Map<string, { n: number; first: GradusError }>()
    let leftOutOfFiles = 0
    try {
      for (const file of files) {
        const { report, batches } = await openTraces(file, {
          ...(options.format !== undefined && { format: options.format }),
        })
        for await (const batch of untilDamaged(batches, report, false)) {
          const scored = await scoreTraces(reward, batch)
          for (const one of scored) {
            if (one.ok) lines.push({ scores: one.scores, outcome: one.trace.outcome })
            else {
              const { n = 0, first = one.error } = lost.get(one.error.code) ?? {}
              lost.set(one.error.code, { n: n + 1, first })
            }
          }
          await writer?.write(scored.map(({ trace }) => trace))
        }
        leftOutOfFiles += leftOut(report)
      }
      await writer?.close()
    } catch (error) {
      await writer?.abandon()
      throw error
    } finally {
      reward.dispose?.()
      await engine.close()
    }
    const steps = lines.flatMap(({ scores }) => scores)
    const said = steps.filter((s) => s !== null)
    const outcomes = outcomeAurocs(lines)
    const summary = {
      reward: reward.name,
      meaning: reward.meaning,
      traces: lines.length,
      steps: steps.length,
      cannotSay: steps.length - said.length,
      meanScore: said.length === 0 ? null : mean(said),
      outcomeAuroc: outcomes,
      notScored: Object.fromEntries([...lost].map(([code, { n }]) => [code, n])),
    }
    const text = [
      `  ${reward.name}   says ${reward.meaning}   ${count(lines.length)} traces   ${count(steps.length)} steps   ${count(summary.cannotSay)} cannot say   mean score ${decimal(summary.meanScore ?? Number.NaN)}`,
      ...(outcomes
        ? [
            `  outcome, AUROC   ${Object.entries(outcomes)
              .map(([name, x]) => `${name} ${decimal(x)}`)
              .join('   ')}`,
          ]
        : []),
      ...(options.output === undefined || options.output === '-' ? [] : [`  ${options.output}`]),
      '',
    ].join('\n')
    const own = options.output === '-' ? terminal.err : terminal.out
    own(options.json ? `${JSON.stringify(summary)}\n` : text)
    for (const { n, first } of lost.values()) {
      terminal.err(`${explain(first)}\n  ${count(n)} traces could not be scored like this.\n`)
    }
    if (lines.length === 0 && lost.size > 0) return EXIT.failed
    return lost.size > 0 || leftOutOfFiles > 0 ? EXIT.lost : EXIT.done
  },
})

/** How well each aggregate tells right runs from wrong ones; null where nobody knows or all ended alike. */
function outcomeAurocs(
  lines: readonly { scores: (number | null)[]; outcome: number | undefined }[],
): Record<string, number> | null {
  const ended = lines.filter(({ scores, outcome }) => outcome !== undefined && scores.some((s) => s !== null))
  const right = ended.map(({ outcome }) => outcome! > 0.5)
  if (!right.includes(true) || !right.includes(false)) return null
  return Object.fromEntries(
    (Object.keys(AGGREGATORS) as AggregatorName[]).map((name) => [
      name,
      auroc(
        ended.map(({ scores }) => aggregate(name, scores) ?? 0),
        right,
      ),
    ]),
  )
}
