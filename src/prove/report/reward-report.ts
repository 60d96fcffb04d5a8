import { type BonScorer, type BonTable, bestArm } from '../bon.ts'
import type { RewardAudit } from '../reward-audits.ts'
import type { TextTable } from './facts-text.ts'
import { figure, type Html, html, page, section, table } from './html.ts'
import { auditTables, bonTables } from './reward-text.ts'

/** A scorer with its audit. */
export interface AuditedScorer extends BonScorer {
  audit: RewardAudit
}

/** The report of `gradus eval --bon`: the curves drawn, all arms as a table, the audits of every scorer. */
export async function rewardReport(title: string, bon: BonTable, scorers: readonly AuditedScorer[]): Promise<string> {
  return page(title, await rewardSections(bon, scorers))
}

/** The sections alone, for reports that have more to say. */
export async function rewardSections(bon: BonTable, scorers: readonly AuditedScorer[]): Promise<Html[]> {
  const { bonPlot, reliabilityPlot } = await import('./plots.ts')
  const drawn = new Set(['random', 'majority', 'pass@N', ...scorers.map((s) => bestArm(s.name, s.aggregate))])
  const points = bon.rows
    .filter(({ arm }) => drawn.has(arm))
    .map(({ arm, tokens, n, right }) => ({ arm, tokens: tokens > 0 ? tokens : n, ...right }))
  const steps = scorers.filter(({ audit }) => audit.byStep.length > 1)
  return [
    section(
      'Best of N',
      figure(
        bonPlot(points),
        'Share of questions answered right against what it cost; each scorer by its own aggregate, every other one is in the table. Bars are 95 % intervals.',
      ),
    ),
    ...bonTables(bon).map(factSection),
    ...(steps.length === 0
      ? []
      : [
          section(
            'Calibration by number of the step',
            figure(
              reliabilityPlot(
                steps.map(({ name, audit }) => ({
                  name,
                  bins: audit.byStep.map(({ n, stated, observed }) => ({ n, stated, observed })),
                })),
              ),
              'A dot for each step number: mean score against the share that was right.',
            ),
          ),
        ]),
    ...scorers.flatMap(({ name, audit }) => auditTables(name, audit).map(factSection)),
  ]
}

function factSection({ title, head, rows, note }: TextTable): Html {
  return section(title, table(head, rows), ...(note === undefined ? [] : [html`<p class="soft">${note}</p>`]))
}
