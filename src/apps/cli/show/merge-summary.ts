import type { ReadReport } from '../../../io/read.ts'
import type { Merged } from '../../pipeline/merge.ts'
import { count } from './style.ts'

/** What a merge found out about its sources, for a person. */
export function mergeText(model: string, { traces, fitted, coverage }: Merged, output: string | undefined): string {
  const steps = traces.reduce((n, t) => n + t.steps.length, 0)
  const wrong = traces.filter((t) => (t.verdict?.firstError ?? -1) >= 0).length
  const unsure = traces.filter((t) => t.verdict?.firstError === null).length
  const width = Math.max(8, ...fitted.sources.map((s) => s.name.length))
  return [
    `  ${model}   ${fitted.sources.length} sources   ${count(traces.length)} traces   ${count(steps)} steps   ${(coverage * 100).toFixed(1)} % of votes there`,
    '',
    `  ${'source'.padEnd(width)}  accuracy (as the model believes)   coverage`,
    ...fitted.sources.map(
      (s) =>
        `  ${s.name.padEnd(width)}  ${s.accuracy === null ? '-' : s.accuracy.toFixed(3)}                              ${s.coverage.toFixed(3)}`,
    ),
    '',
    ...fitted.dependence
      .slice(0, 3)
      .map((d) => `  alike beyond the truth: ${d.a} and ${d.b} (${d.correlation.toFixed(2)})`),
    ...fitted.notes.map((n) => `  ${n}`),
    `  ${count(wrong)} with a first wrong step   ${count(traces.length - wrong - unsure)} clean   ${count(unsure)} cannot say`,
    output === undefined
      ? '  next: add -o merged.jsonl to keep it'
      : `  ${output}   next: gradus eval ${output} --gold PEOPLE.jsonl`,
    '',
  ].join('\n')
}

export function mergeJson(
  model: string,
  { traces, fitted, coverage }: Merged,
  files: readonly ReadReport[],
): Record<string, unknown> {
  const { sources, dependence, notes, classes } = fitted
  return { model, traces: traces.length, coverage, classes, sources, dependence, notes, files }
}
