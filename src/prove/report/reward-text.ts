import type { BonTable } from '../bon.ts'
import type { RewardAudit } from '../reward-audits.ts'
import type { TextTable } from './facts-text.ts'
import { decimal, estimate } from './text.ts'

/** The audits of one reward model as tables. */
export function auditTables(name: string, audit: RewardAudit): TextTable[] {
  const { lastMinima, rightAnswer, length, byStep, baseline, outcome, locator } = audit
  const rows: string[][] = []
  if (baseline) {
    const worse = baseline.difference.low > 0 ? '' : '   NOT above it'
    rows.push(
      ['step AUROC, report half', estimate(baseline.model)],
      ['  of position and length alone', estimate(baseline.plain)],
      ['  difference', `${estimate(baseline.difference)}${worse}`],
    )
  }
  if (locator) {
    const how = locator.kind === 'drop' ? 'first fall' : 'first low step'
    rows.push([
      `first wrong step, F1 (${how}, report half)`,
      `${estimate(locator.f1)} (wrong ${decimal(locator.wrong)}, clean ${decimal(locator.clean)})`,
    ])
  }
  for (const { aggregate, auroc } of outcome ?? []) rows.push([`outcome AUROC, ${aggregate}`, estimate(auroc)])
  if (lastMinima) {
    rows.push([
      'lowest score is the last step',
      `${estimate(lastMinima.share)} (by chance ${decimal(lastMinima.chance)})`,
    ])
  }
  if (rightAnswer) {
    rows.push(
      ['right answer, some step wrong', estimate(rightAnswer.flawed)],
      ['  mean score, clean against flawed', `${decimal(rightAnswer.clean)} against ${decimal(rightAnswer.wrong)}`],
      ['  AUROC, clean against flawed', estimate(rightAnswer.auroc)],
    )
  }
  for (const { aggregate, correlation } of length) {
    rows.push([`score and number of steps, ${aggregate}`, estimate(correlation)])
  }
  return [
    {
      title: `${name}: audits on ${audit.lines.toLocaleString('en-US')} lines, ${audit.steps.toLocaleString('en-US')} steps`,
      head: ['', 'value'],
      rows,
      note: 'score and number of steps: rank correlation among lines that end right; 0 = no bias by length',
    },
    {
      title: `${name}: calibration by number of the step`,
      head: ['step', 'n', 'stated', 'observed', 'calibration error'],
      rows: byStep.map(({ step, n, stated, observed, error }) => [
        `${step + 1}`,
        n.toLocaleString('en-US'),
        decimal(stated),
        decimal(observed),
        decimal(error),
      ]),
    },
  ]
}

/** Best-of-N curves: arms as rows, sizes of the choice as columns. */
export function bonTables({ questions, mixed, rows, differences, notes }: BonTable): TextTable[] {
  const ns = [...new Set(rows.map(({ n }) => n))]
  const byArm = [...Map.groupBy(rows, ({ arm }) => arm)]
  const whole = (n: number): string => Math.round(n).toLocaleString('en-US')
  return [
    {
      title: `best of N on ${questions.toLocaleString('en-US')} questions, ${mixed.toLocaleString('en-US')} with right and wrong candidates`,
      head: ['share right', ...ns.map((n) => `N = ${n}`), `tokens at ${ns.at(-1)}`],
      rows: byArm.map(([arm, own]) => [arm, ...own.map(({ right }) => estimate(right)), whole(own.at(-1)!.tokens)]),
      note: ['tokens a question; intervals 95 %, bootstrapped by question', ...notes].join('; '),
    },
    {
      title: `differences at N = ${ns.at(-1)}`,
      head: ['', 'difference'],
      rows: differences.map(({ first, other, estimate: e }) => [
        `${first} less ${other}`,
        `${estimate(e)}${e.low > 0 || e.high < 0 ? ' *' : ''}`,
      ]),
      note: 'paired bootstrap by question; * = the interval leaves out 0',
    },
  ]
}
