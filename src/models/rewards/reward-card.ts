import { z } from 'zod'
import { AGGREGATORS, type AggregatorName } from './aggregators.ts'
import { BodySpec } from './bodies/body.ts'
import { REWARD_KINDS } from './targets.ts'

/** Form of the file; another one is refused. */
export const FORMAT = 'gradus-reward/1'

const rates = z.object({
  /** Steps of problems that nothing was learnt or chosen on. */
  steps: z.number(),
  /** Mean target. */
  share: z.number(),
  /** Of targets above .5; null where all are on one side. */
  auroc: z.number().nullable(),
  brier: z.number(),
  logLoss: z.number(),
  calibrationError: z.number(),
})

/** What is known of a trained reward model; stands beside its weights as `<name>.json`. */
export const RewardCard = z.object({
  format: z.literal(FORMAT),
  name: z.string(),
  kind: z.enum(REWARD_KINDS),
  /** What a score says. */
  meaning: z.enum(['correctness', 'value']),
  aggregate: z.enum(Object.keys(AGGREGATORS) as [AggregatorName, ...AggregatorName[]]),
  /** A step below it is called wrong; chosen on the tune part, null where no first errors were known. */
  threshold: z.number().nullable(),
  body: BodySpec,
  learner: z.object({ name: z.string(), options: z.record(z.string(), z.unknown()), rounds: z.number() }),
  calibration: z.object({ shift: z.number(), temperature: z.number() }),
  /** Where the targets came from. */
  labels: z.string(),
  trainedOn: z.object({
    /** Traces, steps and questions that were learnt from, chosen on, and reported on. */
    parts: z.record(z.enum(['fit', 'tune', 'test']), z.object({ traces: z.number(), steps: z.number() })),
    questions: z.number(),
    dropped: z.record(z.string(), z.number()),
    balanced: z.boolean(),
    datasets: z.record(z.string(), z.number()),
    generators: z.record(z.string(), z.number()),
    /** Of texts and targets. */
    dataHash: z.string(),
    seed: z.string(),
  }),
  /** On the test part; null where there are too few questions for one. */
  metrics: z
    .object({
      model: rates,
      /** Logistic regression on position and length alone: what a process model must beat. */
      baseline: rates,
      firstError: z.object({ traces: z.number(), f1: z.number(), wrong: z.number(), clean: z.number() }).nullable(),
      /** AUROC of the outcome by each aggregator; null where traces have no outcomes or all the same. */
      outcome: z.record(z.string(), z.number()).nullable(),
    })
    .nullable(),
  licence: z.string(),
  versions: z.record(z.string(), z.string()),
  /** SHA-256 of the weights' file; empty before it is written. */
  sha256: z.string(),
})
export type RewardCard = z.infer<typeof RewardCard>
