import { GradusError } from '../../../core/errors.ts'
import type { Trace } from '../../../core/words.ts'
import { Engine } from '../../../engine/engine.ts'
import { leftOut, readTraces } from '../../../io/read.ts'
import { saveReward } from '../../../models/rewards/model-file.ts'
import type { RewardModel } from '../../../models/rewards/reward.ts'
import { trainReward } from '../../../models/rewards/train-reward.ts'
import { learnerNamed } from '../../../models/training/learners.ts'
import { plainFacts } from '../../../prove/report/facts-text.ts'
import { auditTables } from '../../../prove/report/reward-text.ts'
import { auditLines, auditReward, type RewardAudit } from '../../../prove/reward-audits.ts'
import { openBody } from '../../pipeline/open-body.ts'
import { scoreTraces } from '../../pipeline/score.ts'
import { parseSpec, specOptions } from '../../pipeline/spec.ts'
import { rewardCardText } from '../show/reward-card.ts'
import { EXIT, type ExitCode, type Terminal } from '../verb.ts'
import type { RewardOptions } from './train-reward-options.ts'

/** `gradus train reward labelled.jsonl -o model.json` */
export async function trainRewardVerb(
  files: readonly string[],
  options: RewardOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { output } = options
  if (files.length === 0 || output === undefined) {
    throw new GradusError('GRD-CLI-001', {
      found: files.length === 0 ? 'no file' : 'no place for the model',
      expected: 'files with labelled traces, and -o',
      try: ['gradus train reward labelled.jsonl -o model.json'],
    })
  }
  const traces: Trace[] = []
  let lost = 0
  for (const file of files) {
    const { traces: own, report } = await readTraces(file)
    traces.push(...own)
    lost += leftOut(report)
  }
  const engine = new Engine({})
  try {
    const { fineTune, labels, meaning, harden, balance, aggregate, name, key, seed } = options
    const body = await openBody(options.body, { traces, engine, fineTune, ...(key !== undefined && { keyFrom: key }) })
    const learner = options.learner === undefined ? undefined : parseSpec(options.learner)
    const { model, test, source } = await trainReward({
      traces,
      kind: options.kind,
      body,
      ...(learner && {
        learner: learner.name,
        learnerOptions: specOptions(learner, learnerNamed(learner.name).options),
      }),
      ...(labels !== undefined && { labels }),
      ...(meaning && { meaning }),
      ...(harden !== undefined && { harden }),
      ...(balance && { balance: balance === 'yes' }),
      ...(aggregate && { aggregate }),
      ...(name !== undefined && { name }),
      ...(seed !== undefined && { seed }),
    })
    const card = await saveReward(model, output)
    const audit = await auditOf(model, test, options.labels ?? source ?? undefined)
    model.dispose?.()
    if (options.json) terminal.out(`${JSON.stringify({ card, audit })}\n`)
    else {
      const stem = output.replace(/\.(json|safetensors)$/, '')
      terminal.out(`${rewardCardText(card)}\n`)
      if (audit) terminal.out(`${plainFacts(auditTables(card.name, audit))}\n`)
      terminal.out(`  ${stem}.json   ${stem}.safetensors   next: gradus score traces.jsonl --reward ${stem}.json\n`)
    }
    return lost > 0 ? EXIT.lost : EXIT.done
  } finally {
    await engine.close()
  }
}

/** The audits on traces of questions that nothing was learnt from; null where there are none. */
async function auditOf(
  model: RewardModel,
  test: readonly Trace[],
  truth: string | undefined,
): Promise<RewardAudit | null> {
  if (test.length === 0) return null
  const scored = await scoreTraces(model, test)
  const readable = scored.flatMap((one) => (one.ok ? [one] : []))
  const traces = readable.map(({ trace }) => trace)
  const scores = readable.map((one) => one.scores)
  return auditReward(auditLines(traces, scores, truth), model)
}
