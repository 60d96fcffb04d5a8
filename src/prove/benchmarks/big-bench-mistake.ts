import { allFrom, type Benchmark, type Measure, partsOf, shareOf } from './benchmark.ts'

/**
 * BIG-Bench Mistake: share of traces whose mistake is located exactly, "no mistake" being one of the answers; by task
 * and pooled (arXiv 2311.08516).
 *
 * Most traces have a mistake (1,127 of the 1,461 public ones), so accuracy on these and false alarms on the others stand beside it.
 */
export const bigBenchMistakeRule: Benchmark = {
  name: 'big-bench-mistake',
  summary: 'exact location of the first mistake, by task',
  home: 'https://github.com/WHGTyen/BIG-Bench-Mistake',
  main: ['location'],
  applies: (cases) => allFrom(cases, 'big-bench-mistake'),
  measures(cases, predictions) {
    const gold = (i: number): number | null => cases[i]!.gold.firstError
    const said = (i: number): number | null => predictions[i]?.firstError ?? null
    const exact = (i: number): boolean => said(i) === gold(i)
    const three = (suffix: string, among: (i: number) => boolean): Measure[] => [
      shareOf(`location${suffix}`, cases, (i) => among(i) && gold(i) !== null, exact),
      shareOf(`location, with mistake${suffix}`, cases, (i) => among(i) && (gold(i) ?? -1) >= 0, exact),
      shareOf(
        `false alarms, clean${suffix}`,
        cases,
        (i) => among(i) && gold(i) === -1,
        (i) => (said(i) ?? -1) >= 0,
      ),
    ]
    return [
      ...three('', () => true),
      ...[...partsOf(cases)].flatMap(([task, members]) => three(`, ${task}`, (i) => members.has(i))),
    ]
  },
  notes: () => ['pooled over traces, so a task weighs as much as it has traces'],
}
