import type { LabelCost } from '../../pipeline/label-cost.ts'
import { count } from './style.ts'

/** What a labelling run would ask of whom, one fact a line. */
export function labelCostText(cost: LabelCost, policy: string | undefined): string {
  const reasons = Object.entries(cost.refused).map(([code, n]) => `${count(n)} ${code}`)
  const recovery = cost.recoveryRollouts > 0 ? `, ${count(cost.recoveryRollouts)} of them for the recovery rate` : ''
  const rows: [string, string][] = [
    ['policy', policy ?? 'none'],
    ['host', cost.host ?? 'this process; nothing is sent'],
    [
      'traces',
      `${count(cost.traces)}, of which the policy is asked about ${count(cost.covered)}${reasons.length > 0 ? `; refused: ${reasons.join(', ')}` : ''}`,
    ],
    ['rollouts', `at most ${count(cost.rollouts)}${recovery}`],
    ...(cost.texts > 0 ? [['texts', `at most ${count(cost.texts)} weighed`] satisfies [string, string]] : []),
    [
      'tokens',
      `some ${count(cost.tokens.prompt)} read, ${count(cost.tokens.completion)} written, guessed from the lengths`,
    ],
    ...(cost.cost === undefined ? [] : [['money', `some $${cost.cost.toFixed(2)}`] satisfies [string, string]]),
  ]
  return `${rows.map(([key, value]) => `  ${key.padEnd(9)} ${value}`).join('\n')}\n`
}
