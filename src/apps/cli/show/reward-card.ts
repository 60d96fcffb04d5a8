import type { RewardCard } from '../../../models/rewards/reward-card.ts'
import { decimal } from '../../../prove/report/text.ts'
import { columns, count } from './style.ts'

/** What was learnt from what, and how good it is beside position and length alone. */
export function rewardCardText(card: RewardCard): string {
  const { parts, questions, dropped } = card.trainedOn
  const left = Object.entries(dropped).map(([reason, n]) => `${count(n)} left out (${reason})`)
  const head = [
    `  ${card.name}   ${card.kind}, says ${card.meaning}   from ${card.labels}   ${card.learner.name}, ${count(card.learner.rounds)} rounds`,
    `  ${count(parts.fit?.traces ?? 0)} traces learnt from, ${count(parts.tune?.traces ?? 0)} to stop and calibrate, ${count(parts.test?.traces ?? 0)} to measure   ${count(questions)} questions   ${[...left, `licence ${card.licence}`].join('   ')}`,
  ]
  if (!card.metrics) return [...head, '  too few questions to measure anything', ''].join('\n')
  const { model, baseline, firstError, outcome } = card.metrics
  const row = (name: string, r: typeof model): string[] => [
    name,
    r.auroc === null ? '-' : decimal(r.auroc),
    decimal(r.brier),
    decimal(r.logLoss),
    decimal(r.calibrationError),
  ]
  const table = columns([
    [`on ${count(model.steps)} steps`, 'AUROC', 'Brier', 'log loss', 'calibration error'],
    row(card.name, model),
    row('position and length alone', baseline),
  ])
  return [
    ...head,
    '',
    ...table.map((line) => `  ${line}`),
    ...(firstError && card.threshold !== null
      ? [
          '',
          `  first wrong step   F1 ${decimal(firstError.f1)} (wrong ${decimal(firstError.wrong)}, clean ${decimal(firstError.clean)}) of ${count(firstError.traces)} traces   below ${decimal(card.threshold)}`,
        ]
      : []),
    ...(outcome
      ? [
          '',
          `  outcome, AUROC     ${Object.entries(outcome)
            .map(([name, x]) => `${name} ${decimal(x)}`)
            .join('   ')}`,
        ]
      : []),
    '',
  ].join('\n')
}
