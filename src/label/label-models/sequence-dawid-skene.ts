import { z } from 'zod'
import { type ChainSettings, chainsOf, fitChains } from './chain-em.ts'
import { checkGold, type LabelModel } from './label-model.ts'
import { voteFractions } from './majority.ts'
import { type Copies, nearCopies, oneVoteEach } from './near-copies.ts'
import { fittedFrom } from './source-report.ts'
import { onePolarityNote, polarities, type VoteMatrix } from './votes.ts'

/**
 * Defaults were chosen on the tune half of AgentProcessBench, where 1,000 pseudo-votes and power .5 lie on a plateau
 * (mean macro-F1 .613 to .625 from 300 to 30,000 pseudo-votes and from power .5 to 1) and .8 shared errors gives the
 * least calibration error; there, votes of judges correlate by .23 given the class in each of the four sets.
 */
const options = z.object({
  iterations: z.number().int().min(1).default(40).describe('most rounds of expectation and maximisation'),
  tolerance: z.number().min(0).default(1e-4).describe('stop when no posterior moves by more'),
  profileVotes: z
    .number()
    .min(0)
    .default(1000)
    .describe('pseudo-votes by which a confusion matrix leans on the profile of its source over all domains'),
  evidence: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe('power of each vote while fitting traces of several steps, where a source repeats its errors'),
  sharedErrors: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe('weight of the hypothesis that all sources speak as one, for calibration; 0 = trust their independence'),
})

/**
 * Dawid-Skene that knows traces: the classes of the steps of a trace form a Markov chain ending in the outcome, all
 * learnt without gold labels, so that a first error changes what is believed of the steps after it.
 *
 * Each source has a profile of competence and habit over all domains (`source-profile.ts`) on which its confusion
 * matrix in each domain leans. Near-copies of one source have one vote together (`near-copies.ts`). Confidence is
 * then brought down to that of a pool in which the sources mostly repeat each other (`opinion-pool.ts`), which keeps
 * the order of the classes. Gold labels, where given, hold their items fixed.
 *
 * Falls back, and says so in `notes`: without order where no trace has two steps; to one vote each (near-copies
 * together) where fewer than three sources vote or most of them name one class only, because accuracies cannot be
 * told apart then.
 */
export const sequenceDawidSkene: LabelModel<ChainSettings> = {
  name: 'sequence-dawid-skene',
  summary: 'Dawid-Skene over the order of steps, with near-copies and shared errors held down',
  paper: 'autows-bench',
  gold: 'used',
  options,
  fit(votes, given, gold) {
    const settings = options.parse(given ?? {})
    if (gold) checkGold(votes, gold)
    const notes: string[] = []
    const copies = nearCopies(votes)
    for (const group of copies) notes.push(copiesNote(votes, group))
    const chains = chainsOf(votes)
    if (chains.every((c) => c.to - c.from === 1)) notes.push('no trace has two steps: the order of steps is not used')
    const reason = gold?.some((g) => g >= 0) ? null : cannotWeigh(votes)
    if (reason !== null) notes.push(`${reason}: every source has one vote`)
    const weights = oneVoteEach(votes, copies)
    const posterior =
      reason === null ? fitChains(votes, chains, weights, settings, gold, notes) : voteFractions(votes, weights)
    return fittedFrom(votes, posterior, notes)
  },
}

function copiesNote(votes: VoteMatrix, { sources, association, expected }: Copies): string {
  const names = sources.map((s) => votes.sources[s]).join(', ')
  return `${names} vote alike (association ${association.toFixed(2)}, ${expected.toFixed(2)} expected): one vote together`
}

/** Why accuracies cannot be learnt from these votes alone, or null. */
function cannotWeigh(votes: VoteMatrix): string | null {
  const voting = polarities(votes).filter((p) => p.size > 0).length
  if (voting < 3) return `${voting} sources vote, whose accuracies cannot be told apart`
  const polarity = onePolarityNote(votes)
  return polarity?.most ? polarity.note : null
}
