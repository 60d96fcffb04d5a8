import { agentName } from '../../io/formats/who-and-when.ts'
import type { Case } from '../cases.ts'
import { allFrom, type Benchmark, type Measure, partsOf, shareOf } from './benchmark.ts'

/** Steps by which a located step may be off in the tolerant figure: the widest of the paper's one to five. */
const WINDOW = 5

/**
 * Who&When: is the agent that made the decisive mistake named, and is the step; both over all failed runs (arXiv
 * 2505.00212).
 *
 * The predicted agent is the one that wrote the predicted step. "No error" and "cannot say" are wrong, since all runs
 * failed.
 */
export const whoAndWhenRule: Benchmark = {
  name: 'who-and-when',
  summary: 'accuracy of the agent and of the step that made a run fail',
  home: 'https://github.com/mingyin1/Agents_Failure_Attribution',
  main: ['agent accuracy', 'step accuracy'],
  applies: (cases) => allFrom(cases, 'who-and-when'),
  measures(cases, predictions) {
    const said = cases.map((_, i) => predictions[i]?.firstError ?? -1)
    const offBy = (i: number): number =>
      said[i]! < 0 ? Number.POSITIVE_INFINITY : Math.abs(said[i]! - cases[i]!.gold.firstError!)
    const three = (suffix: string, among: (i: number) => boolean): Measure[] => [
      shareOf(
        `agent accuracy${suffix}`,
        cases,
        among,
        (i) => said[i]! >= 0 && agentAt(cases[i]!, said[i]!) === guilty(cases[i]!),
      ),
      shareOf(`step accuracy${suffix}`, cases, among, (i) => offBy(i) === 0),
      shareOf(`step within ${WINDOW}${suffix}`, cases, among, (i) => offBy(i) <= WINDOW),
    ]
    const known = (i: number): boolean => cases[i]!.gold.firstError !== null
    return [
      ...three('', known),
      ...[...partsOf(cases)].flatMap(([part, members]) => three(`, ${part}`, (i) => known(i) && members.has(i))),
    ]
  },
  notes: () => ['the predicted agent is the one that wrote the predicted step'],
}

function agentAt(c: Case, step: number): string {
  return agentName(c.trace.steps[step]?.agent)
}

/** As labelled; the label is kept beside the steps, since in a few runs another agent wrote the labelled step. */
function guilty(c: Case): string {
  const named = c.trace.extra?.mistake_agent
  return typeof named === 'string' ? agentName(named) : agentAt(c, c.gold.firstError ?? -1)
}
