import { STEP_CLASSES } from '../cases.ts'
import { allFrom, type Benchmark, fromSums, type Measure, partsOf, shareOf } from './benchmark.ts'

/**
 * AgentProcessBench: StepAcc = share of all steps with the same mark out of +1, 0, -1; FirstErrAcc = share of
 * trajectories with the same first -1 (or none on either side) (arXiv 2603.14465).
 *
 * A trajectory without prediction is wrong; the published script lets it pass as "no error".
 */
export const agentprocessbenchRule: Benchmark = {
  name: 'agentprocessbench',
  summary: 'StepAcc over right, neutral and wrong; FirstErrAcc over trajectories',
  home: 'https://github.com/RUCBM/AgentProcessBench',
  main: ['StepAcc', 'FirstErrAcc'],
  applies: (cases) => allFrom(cases, 'agentprocessbench'),
  measures(cases, predictions) {
    const rows = cases.map((c, i) => {
      const marked = c.gold.classes.flatMap((name, step) => (name === undefined ? [] : [{ name, step }]))
      const hits = marked.filter(({ name, step }) => top(predictions[i]?.classes[step] ?? null) === name)
      return [hits.length, marked.length]
    })
    const two = (suffix: string, among: (i: number) => boolean): Measure[] => {
      const items = cases.flatMap((_, i) => (among(i) ? [i] : []))
      const own = items.map((i) => rows[i]!)
      const steps = own.reduce((a, [, n]) => a + n!, 0)
      const at = items.map((i) => cases[i]!)
      return [
        fromSums(`StepAcc${suffix}`, at, steps, own, ([hits, all]) => hits! / all!),
        shareOf(
          `FirstErrAcc${suffix}`,
          cases,
          (i) => among(i) && cases[i]!.gold.firstError !== null,
          (i) => predictions[i]?.firstError === cases[i]!.gold.firstError,
        ),
      ]
    }
    return [
      ...two('', () => true),
      ...[...partsOf(cases)].flatMap(([part, members]) => two(` ${part}`, (i) => members.has(i))),
    ]
  },
  notes: () => ['steps are pooled over trajectories; a trajectory without prediction counts as wrong'],
}

function top(classes: readonly number[] | null): string | null {
  return classes === null ? null : STEP_CLASSES[classes.indexOf(Math.max(...classes))]!
}
