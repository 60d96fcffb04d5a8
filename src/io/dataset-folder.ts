import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GradusError } from '../core/errors.ts'
import type { Trace } from '../core/words.ts'
import type { Format } from './formats/format.ts'
import { recordsOf } from './formats/write.ts'
import { describeShape } from './parquet-schema.ts'
import { selfCheck } from './self-check.ts'
import { cannotWrite } from './target.ts'
import type { TraceWriter } from './trace-writer.ts'
import { openText, traceWriter } from './write.ts'

/** Rows that the features of the card are read from. */
const FEATURE_ROWS = 1_000

/** What stands in a dataset card, counted as traces are written. */
interface Counts {
  traces: number
  steps: number
  labels: Record<'right' | 'wrong' | 'value' | 'cannot say', number>
  firstErrors: Record<'at a step' | 'none' | 'not labelled', number>
  licences: Map<string, number>
  datasets: Map<string, number>
  generators: Map<string, number>
  labelledBy: Map<string, number>
  evidenceBy: Map<string, number>
}

/**
 * A folder that `datasets.load_dataset` reads: `data/train.parquet` and a card (`README.md`) with licence, features,
 * counts and how the labels were made. The file is read again and compared before the card is written.
 *
 * Where traces have one licence it is the data set's; several, or an unknown one, make it `other` and are listed, since
 * nobody can choose for their owners.
 * @throws GradusError GRD-IO-011 for a format whose records are no rows, GRD-IO-013/014 on a write error, GRD-IO-015
 *   where the file does not say what was written
 */
export async function datasetWriter(folder: string, format: Format, version: string): Promise<TraceWriter> {
  const check = selfCheck(format)
  if (!check || format.container !== 'jsonl') {
    throw new GradusError('GRD-IO-011', {
      found: `${format.name}, whose records are no rows of a table`,
      expected: 'a format with one trace a record',
      try: ['--to trl', '--to prm800k', '--to math-shepherd', '--to verl'],
    })
  }
  await mkdir(join(folder, 'data'), { recursive: true }).catch((cause) => {
    throw cannotWrite(folder, cause)
  })
  const file = join(folder, 'data', 'train.parquet')
  const data = await traceWriter(file, format)
  const counts: Counts = {
    traces: 0,
    steps: 0,
    labels: { right: 0, wrong: 0, value: 0, 'cannot say': 0 },
    firstErrors: { 'at a step': 0, none: 0, 'not labelled': 0 },
    licences: new Map(),
    datasets: new Map(),
    generators: new Map(),
    labelledBy: new Map(),
    evidenceBy: new Map(),
  }
  const rows: Record<string, unknown>[] = []
  return {
    async write(traces) {
      await data.write(traces)
      check.wrote(traces)
      for (const trace of traces) {
        count(counts, trace)
        if (rows.length < FEATURE_ROWS) rows.push(...(recordsOf(format, [trace]) as Record<string, unknown>[]))
      }
    },
    async close() {
      await data.close()
      const compared = await check.verify(file)
      const card = await openText(join(folder, 'README.md'))
      await card.write(cardOf(counts, rows, format, version, compared))
      await card.close()
    },
    abandon: data.abandon,
  }
}

function count(into: Counts, trace: Trace): void {
  into.traces++
  into.steps += trace.steps.length
  const add = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1)
  add(into.licences, trace.source.licence)
  add(into.datasets, trace.source.dataset === '' ? 'not said' : trace.source.dataset)
  add(into.generators, trace.source.generator === '' ? 'not said' : trace.source.generator)
  const labels = trace.labels ?? []
  const first = labels.find((l) => l.meaning === 'first-error')?.value ?? trace.verdict?.firstError ?? null
  into.firstErrors[first === null ? 'not labelled' : first < 0 ? 'none' : 'at a step']++
  let said = 0
  for (const label of labels) {
    if (label.meaning === 'first-error' || label.value === null) continue
    said++
    into.labels[label.meaning !== 'correctness' ? 'value' : label.value >= 0.5 ? 'right' : 'wrong']++
  }
  into.labels['cannot say'] += Math.max(0, trace.steps.length - said)
  for (const source of new Set(labels.map((l) => l.source))) add(into.labelledBy, source)
  for (const source of new Set((trace.evidence ?? []).map((e) => e.source))) add(into.evidenceBy, source)
}

function cardOf(
  counts: Counts,
  rows: readonly Record<string, unknown>[],
  format: Format,
  version: string,
  compared: number,
): string {
  const [only, ...others] = counts.licences.keys()
  const known = only !== undefined && others.length === 0 && only !== 'unknown' && SPDX.test(only)
  const licence = known ? only.toLowerCase() : 'other'
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const size = SIZES.find(([most]) => counts.traces < most)?.[1] ?? 'n>1M'
  return [
    '---',
    `license: ${licence}`,
    `size_categories:\n- ${size}`,
    'tags:\n- process-supervision\n- step-labels',
    'configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train.parquet',
    '---',
    '',
    '# Step-labelled traces',
    '',
    `${number(counts.traces)} traces with ${number(counts.steps)} steps, in the format \`${format.name}\` (${format.summary}).`,
    '',
    '## Licence',
    '',
    licence === 'other'
      ? 'The traces do not have one known licence; each keeps its own:'
      : `All traces are under ${only}.`,
    '',
    ...table(['licence', 'traces'], counts.licences),
    '## Features',
    '',
    '| column | type |',
    '|---|---|',
    ...names.map((name) => `| \`${name}\` | ${describeShape(rows.map((row) => row[name]))} |`),
    '',
    '## Counts',
    '',
    ...table(['step labels', 'steps'], new Map(Object.entries(counts.labels))),
    ...table(['first wrong step', 'traces'], new Map(Object.entries(counts.firstErrors))),
    '## How it was made',
    '',
    `Written by Gradus ${version}; ${number(compared)} traces were read again from the file and compared with what was written.`,
    '',
    ...table(['steps written by', 'traces'], counts.generators),
    ...table(['problems from', 'traces'], counts.datasets),
    ...table(['evidence of', 'traces'], counts.evidenceBy),
    ...table(['labels by', 'traces'], counts.labelledBy),
    '',
  ].join('\n')
}

/** An identifier, and nothing that YAML would read as more than that. */
const SPDX = /^[A-Za-z0-9][A-Za-z0-9.+-]*$/

const SIZES: readonly [number, string][] = [
  [1_000, 'n<1K'],
  [10_000, '1K<n<10K'],
  [100_000, '10K<n<100K'],
  [1_000_000, '100K<n<1M'],
]

/** Largest first; nothing for nothing. Names come from traces, so what Markdown would read is taken from them. */
function table([left, right]: [string, string], counts: ReadonlyMap<string, number>): string[] {
  const rows = [...counts].filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  if (rows.length === 0) return []
  const plain = (text: string): string =>
    text
      .replace(/[|`<>\r\n[\]]/g, ' ')
      .trim()
      .slice(0, 200)
  return [`| ${left} | ${right} |`, '|---|---:|', ...rows.map(([name, n]) => `| ${plain(name)} | ${number(n)} |`), '']
}

const number = (n: number): string => n.toLocaleString('en-US')
