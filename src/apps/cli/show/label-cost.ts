import type { LabelCost } from '../../pipeline/label-cost.ts'
import { count } from './style.ts'

/** What a labelling run would ask of whom, one fact a line. */
export function labelCostText(cost: LabelCost, policy: string | undefined): string {
  if (!cost.rewards) return policyText(cost, policy)
  return `${policy === undefined ? '' : `${policyText(cost, policy)}\n`}${rewardText(cost.rewards, cost.traces)}`
}

function rewardText(
  { hosts, traces, calls, tokens, secrets, cost }: NonNullable<LabelCost['rewards']>,
  all: number,
): string {
  return table([
    [
      'judge',
      hosts.length === 0 ? 'this process; nothing is sent' : `${hosts.join(', ')}; problems and steps are sent there`,
    ],
    ['traces', `${count(traces)} of ${count(all)}`],
    ['calls', `at most ${count(calls)}, and some for the probe`],
    [
      'tokens',
      `some ${count(tokens.prompt)} read, guessed from the lengths; at most ${count(tokens.completion)} written`,
    ],
    ['secrets', `${count(secrets)} are taken out before anything is sent`],
    ...(cost === undefined ? [] : [['money', `at most some $${cost.toFixed(2)}`] satisfies [string, string]]),
  ])
}

const table = (rows: readonly [string, string][]): string =>
  `${rows.map(([key, value]) => `  ${key.padEnd(9)} ${value}`).join('\n')}\n`

function policyText(cost: LabelCost, policy: string | undefined): string {
  const reasons = Object.entries(cost.refused).map(([code, n]) => `${count(n)} ${code}`)
  const recovery = cost.recoveryRollouts > 0 ? `, ${count(cost.recoveryRollouts)} of them for the recovery rate` : ''
  const rows: [string, string][] = [
    ['policy', policy ?? 'none'],
    ['host', cost.host ?? 'this process; nothing is sent'],
    [
      cost.of,
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
  return table(rows)
}
