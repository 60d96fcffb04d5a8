import { GradusError } from '../../../core/errors.ts'
import type { Trace } from '../../../core/words.ts'
import { Engine } from '../../../engine/engine.ts'
import { leftOut, readTraces } from '../../../io/read.ts'
import { saveReward } from '../../../models/rewards/model-file.ts'
import { trainReward } from '../../../models/rewards/train-reward.ts'
import { learnerNamed } from '../../../models/training/learners.ts'
import { openBody } from '../../pipeline/open-body.ts'
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
    const { model } = await trainReward({
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
    model.dispose?.()
    if (options.json) terminal.out(`${JSON.stringify(card)}\n`)
    else {
      const stem = output.replace(/\.(json|safetensors)$/, '')
      terminal.out(rewardCardText(card))
      terminal.out(`  ${stem}.json   ${stem}.safetensors   next: gradus score traces.jsonl --reward ${stem}.json\n`)
    }
    return lost > 0 ? EXIT.lost : EXIT.done
  } finally {
    await engine.close()
  }
}
