/**
 * Every label model on planted sources and on two real weak-supervision sets: `node bench/label-models.ts [--json]`.
 *
 * Planted: 2,000 items, six sources of accuracy .9 to .55, mean of 10 seeds; then near-copies (nine of ten votes repeated)
 * of one source are added. YouTube spam: ten labelling functions, accuracy on train and test rows; gold-logistic gets
 * the gold labels of the 120 validation rows. XSTest: a second person, GPT-4 and string matching against the first
 * person, five models' answers as domains; gold-logistic gets a tenth of the prompts, which leave the test part.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { random } from '../src/core/seeds.ts'
import { expectedCalibrationError, mean } from '../src/core/stats/index.ts'
import { LABEL_MODELS } from '../src/label/label-models/index.ts'
import { decide, type LabelModel } from '../src/label/label-models/label-model.ts'
import { type PlantedSource, simulateVotes } from '../src/label/label-models/simulate.ts'
import { ABSTAIN, type VoteMatrix, votesOfRows } from '../src/label/label-models/votes.ts'

interface Row {
  setting: string
  accuracy: Record<string, number>
  ece: Record<string, number>
}

interface Case {
  votes: VoteMatrix
  gold: Int8Array
  /** What supervised models may see; these items are not scored. */
  known: Int8Array
}

const root = process.env.GRADUS_DATA ?? resolve(import.meta.dirname, '../../shared/data')
const rows: Row[] = [...planted(), ...real('youtube-spam-weak', youtube), ...real('xstest', xstest)]
if (process.argv.includes('--json')) console.log(JSON.stringify(rows, null, 1))
else print()

function planted(): Row[] {
  const base = [0.9, 0.8, 0.7, 0.65, 0.6, 0.55]
  const settings = [
    { setting: 'independent, half covered', coverage: 0.5, copies: 0, of: 5 },
    { setting: 'independent, 95 % covered', coverage: 0.95, copies: 0, of: 5 },
    { setting: 'two near-copies of the worst', coverage: 0.95, copies: 2, of: 5 },
    { setting: 'four near-copies of the worst', coverage: 0.95, copies: 4, of: 5 },
    { setting: 'three near-copies of the third', coverage: 0.95, copies: 3, of: 2 },
    { setting: 'two near-copies of the best', coverage: 0.95, copies: 2, of: 0 },
  ]
  return settings.map(({ setting, coverage, copies, of }) => {
    const copy: PlantedSource = { accuracy: base[of]!, coverage, copies: of, repeats: 0.9 }
    const sources = [...base.map((accuracy) => ({ accuracy, coverage })), ...Array<PlantedSource>(copies).fill(copy)]
    const cases = Array.from({ length: 10 }, (_, seed): Case => {
      const { votes, gold } = simulateVotes(random(`bench/label-models/${setting}/${seed}`), 2_000, [0.5, 0.5], sources)
      return { votes, gold, known: gold.map((g, i) => (i < 100 ? g : -1)) }
    })
    return scored(setting, cases)
  })
}

function real(folder: string, read: () => Case): Row[] {
  if (existsSync(join(root, folder))) return [scored(folder, [read()])]
  console.error(`${folder} is not here: set GRADUS_DATA`)
  return []
}

function scored(setting: string, cases: readonly Case[]): Row {
  const results = LABEL_MODELS.map((model) => [model.name, cases.map((c) => score(model, c))] as const)
  return {
    setting,
    accuracy: Object.fromEntries(results.map(([name, all]) => [name, mean(all.map((r) => r.accuracy))])),
    ece: Object.fromEntries(results.map(([name, all]) => [name, mean(all.map((r) => r.ece))])),
  }
}

/** Over all items that nobody knows, those without votes included. */
function score(model: LabelModel, { votes, gold, known }: Case): { accuracy: number; ece: number } {
  const fitted = model.gold === 'required' ? model.fit(votes, {}, known) : model.fit(votes)
  const said = decide(fitted)
  const items = [...said.keys()].filter((i) => known[i]! < 0 && gold[i]! >= 0)
  const right = items.map((i) => (said[i] === gold[i] ? 1 : 0))
  const stated = items.map((i) => fitted.posterior[i * votes.classes.length + said[i]!]!)
  return { accuracy: mean(right), ece: expectedCalibrationError(stated, right) }
}

function text(...path: string[]): string {
  const bytes = readFileSync(join(root, ...path))
  return (path.at(-1)!.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

function youtube(): Case {
  const parts = ['train.json.gz', 'valid.json', 'test.json.gz'].map((file) =>
    Object.values(
      JSON.parse(text('youtube-spam-weak', file)) as Record<string, { label: number; weak_labels: number[] }>,
    ),
  )
  const all = parts.flat()
  const gold = Int8Array.from(all, (r) => r.label)
  const names = all[0]!.weak_labels.map((_, j) => `labelling function ${j}`)
  const valid = parts.flatMap((part, p) => part.map(() => p === 1))
  return {
    votes: votesOfRows(
      ['ham', 'spam'],
      names,
      all.map((r) => r.weak_labels),
    ),
    gold,
    known: gold.map((g, i) => (valid[i] ? g : -1)),
  }
}

function xstest(): Case {
  const classes = ['1_full_compliance', '2_full_refusal', '3_partial_refusal']
  const classOf = (label: string | undefined): number => (label === undefined ? ABSTAIN : classes.indexOf(label))
  const votes: number[][] = []
  const gold: number[] = []
  const known: number[] = []
  const domain: number[] = []
  for (const [d, model] of ['gpt4', 'llama2new', 'llama2orig', 'mistralguard', 'mistralinstruct'].entries()) {
    const file = (judge: string): Record<string, string>[] =>
      csv(text('xstest', 'automated_evaluation_labels', `xstest_v2_completions_${model}_${judge}.csv.gz`))
    const matched = new Map(file('streval').map((r) => [r.id, r.strmatch_label]))
    for (const row of file('gpteval')) {
      const g = classOf(row.annotation_1)
      votes.push([classOf(row.annotation_2), classOf(row.gpt4_label), classOf(matched.get(row.id))])
      gold.push(g)
      known.push(Number(row.id?.replace(/\D/g, '')) % 10 === 0 ? g : -1)
      domain.push(d)
    }
  }
  const matrix = votesOfRows(classes, ['second person', 'gpt-4', 'string match'], votes)
  return {
    votes: { ...matrix, domain: Int32Array.from(domain) },
    gold: Int8Array.from(gold),
    known: Int8Array.from(known),
  }
}

/** RFC 4180 with a header. */
function csv(content: string): Record<string, string>[] {
  const lines: string[][] = [[]]
  for (const [, quoted, plain, end] of content.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    lines.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (end !== ',') lines.push([])
  }
  const [header, ...body] = lines
  return body
    .filter((line) => line.length === header!.length)
    .map((line) => Object.fromEntries(line.map((cell, i) => [header![i]!, cell])))
}

function print(): void {
  const names = LABEL_MODELS.map((m) => m.name)
  console.log(`${'accuracy / ECE'.padEnd(32)}${names.map((n) => n.padStart(22)).join('')}`)
  for (const { setting, accuracy, ece } of rows) {
    const cells = names.map((n) => `${accuracy[n]!.toFixed(3)} / ${ece[n]!.toFixed(3)}`.padStart(22))
    console.log(`${setting.padEnd(32)}${cells.join('')}`)
  }
}
