import { GradusError } from '../../core/errors.ts'
import type { Head } from '../training/rows.ts'
import type { Body } from './bodies/body.ts'
import { calibrated } from './calibrate.ts'
import type { RewardModel, Scored } from './reward.ts'
import type { RewardCard } from './reward-card.ts'

/** A reward model that was trained here: a body that reads steps and a head that scores them. */
export interface TrainedReward extends RewardModel {
  card: RewardCard
  body: Body
  head: Head
}

/** Lines that are read together; more would only hold more memory. */
const CHUNK = 512

export function trainedReward({ body, head, card }: Pick<TrainedReward, 'body' | 'head' | 'card'>): TrainedReward {
  return {
    name: card.name,
    identity: identityOf(card),
    meaning: card.meaning,
    aggregate: card.aggregate,
    ...(card.threshold !== null && { threshold: card.threshold }),
    card,
    body,
    head,
    async score(lines, signal) {
      const scored: Scored[] = []
      for (let from = 0; from < lines.length; from += CHUNK) {
        const featured = await body.features(lines.slice(from, from + CHUNK), signal)
        for (const one of featured) {
          if (!one.ok) {
            scored.push(one)
            continue
          }
          const { features, usage } = one
          const scores = Array.from(head.logits(features), (logit) => calibrated(logit, card.calibration))
          const bad = scores.findIndex((score) => !(score >= 0 && score <= 1))
          scored.push(bad < 0 ? { ok: true, scores, usage } : { ok: false, error: notANumber(bad), usage })
        }
      }
      return scored
    },
    ...(body.dispose && { dispose: () => body.dispose?.() }),
  }
}

/** What decides the weights, and with them the scores: the same before and after the model has been written. */
function identityOf({ name, kind, labels, learner, body, calibration, trainedOn }: RewardCard): unknown {
  const { dataHash, balanced, seed } = trainedOn
  return { reward: name, kind, labels, learner, body, calibration, dataHash, balanced, seed }
}

function notANumber(step: number): GradusError {
  return new GradusError('GRD-REWARD-001', {
    where: { field: `steps[${step}]` },
    found: 'no number',
    expected: 'a number in [0, 1]',
  })
}
