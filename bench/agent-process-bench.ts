/**
 * Thirteen judges of AgentProcessBench merged into one posterior: `node bench/agent-process-bench.ts [--json]
 * [--half tune|report|all] [--draws 20]`.
 *
 * Votes come from `judge_step_labels`, gold labels of people from `human_step_labels`; the data are read from
 * GRADUS_DATA or ../shared/data. Every model without gold labels sees all votes of all rows; figures are on the chosen half (default: all rows).
 * Macro-F1 is over the classes wrong, neutral, right; intervals are bootstrapped by question; ECE has 10 equal-mass bins
 * on the top class. The second table gives 100 gold steps (all steps of questions drawn until 100 are reached; the
 * drawn questions leave the test part) to the supervised models and to the choice of the best judge.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { random } from '../src/core/seeds.ts'
import { half } from '../src/core/split.ts'
import {
  bootstrap,
  confusion,
  type Estimate,
  expectedCalibrationError,
  groupsOf,
  macroF1,
  mean,
  pairedBootstrap,
} from '../src/core/stats/index.ts'
import type { Trace } from '../src/core/words.ts'
import { readTraces } from '../src/io/read.ts'
import { dawidSkene } from '../src/label/label-models/dawid-skene.ts'
import { LABEL_MODELS } from '../src/label/label-models/index.ts'
import { decide, type Fitted } from '../src/label/label-models/label-model.ts'
import { majority } from '../src/label/label-models/majority.ts'
import { sequenceDawidSkene } from '../src/label/label-models/sequence-dawid-skene.ts'
import { type SourceLabels, type VoteMatrix, votesOfTraces } from '../src/label/label-models/votes.ts'

const SUBSETS = ['bfcl', 'gaia_dev', 'hotpotqa', 'tau2'] as const
const CLASSES = ['wrong', 'neutral', 'right'] as const
const GOLD_STEPS = 100

interface Subset {
  name: string
  votes: VoteMatrix
  gold: Int8Array
  /** Question of each item. */
  question: string[]
}

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    half: { type: 'string', default: 'all' },
    draws: { type: 'string', default: '20' },
  },
})
const root = process.env.GRADUS_DATA ?? resolve(import.meta.dirname, '../../shared/data')
if (!existsSync(join(root, 'agentprocessbench'))) {
  console.error('AgentProcessBench is not here: set GRADUS_DATA')
  process.exit(1)
}

const subsets: Subset[] = []
for (const name of SUBSETS) subsets.push(await readSubset(name))
const whole = joined(subsets)

const unsupervised = withoutGold()
const supervised = withGold(Number(flags.draws))
if (flags.json) console.log(JSON.stringify({ half: flags.half, unsupervised, supervised }, null, 1))
else print()

/** Raw marks -1, 0, 1 as classes; null where the judge's text could not be read. */
function classOf(raw: unknown): string | null {
  return raw === -1 || raw === 0 || raw === 1 ? CLASSES[raw + 1]! : null
}

function marks(trace: Trace): { steps: (string | null)[]; outcome: string | null } {
  const steps = new Array<string | null>(trace.steps.length).fill(null)
  let outcome: string | null = null
  for (const e of trace.evidence ?? []) {
    if (e.kind !== 'imported') continue
    if (e.step === null) outcome = classOf(e.raw)
    else steps[e.step] = classOf(e.raw)
  }
  return { steps, outcome }
}

async function readSubset(name: string): Promise<Subset> {
  const folder = join(root, 'agentprocessbench')
  const people = (await readTraces(join(folder, 'human_step_labels', `${name}_final.jsonl`))).traces
  const sources = new Map<string, SourceLabels>()
  const judges = readdirSync(join(folder, 'judge_step_labels')).sort()
  const outcomes = new Int8Array(people.length * judges.length).fill(-1)
  for (const [j, judge] of judges.entries()) {
    const { traces } = await readTraces(join(folder, 'judge_step_labels', judge, `${name}.jsonl.gz`))
    const byId = new Map(traces.map((t) => [t.id, t]))
    const labels = new Map<string, (string | null)[]>()
    people.forEach((trace, t) => {
      const judged = byId.get(trace.id)
      if (!judged) return
      const said = marks(judged)
      // By message number: a judge may have left a step out.
      const at = new Map(judged.steps.map((s, i) => [s.origin, said.steps[i] ?? null]))
      labels.set(
        trace.id,
        trace.steps.map((s) => at.get(s.origin) ?? null),
      )
      outcomes[t * judges.length + j] = said.outcome === null ? -1 : CLASSES.indexOf(said.outcome as 'wrong')
    })
    sources.set(judge, labels)
  }
  const votes = votesOfTraces(
    CLASSES,
    people.map((t) => ({ id: t.id, steps: t.steps.length })),
    sources,
  )
  const gold = people.flatMap((t) => marks(t).steps.map((c) => (c === null ? -1 : CLASSES.indexOf(c as 'wrong'))))
  return {
    name,
    votes: { ...votes, outcomes },
    gold: Int8Array.from(gold),
    question: people.flatMap((t) => t.steps.map(() => t.problem.id)),
  }
}

/** The four subsets as domains of one matrix. */
function joined(parts: readonly Subset[]): VoteMatrix {
  const first = parts[0]!.votes
  const concat = (pick: (v: VoteMatrix) => Int8Array): Int8Array =>
    Int8Array.from(parts.flatMap((p) => [...pick(p.votes)]))
  const trace: number[] = []
  for (const { votes } of parts) {
    const before = (trace.at(-1) ?? -1) + 1
    trace.push(...Array.from(votes.trace, (t) => t + before))
  }
  return {
    ...first,
    items: trace.length,
    trace: Int32Array.from(trace),
    step: Int32Array.from(parts.flatMap((p) => [...p.votes.step])),
    votes: concat((v) => v.votes),
    outcomes: concat((v) => v.outcomes ?? new Int8Array(0)),
    domain: Int32Array.from(parts.flatMap((p, d) => Array.from(p.votes.trace, () => d))),
  }
}

function splitPosterior(fitted: Fitted): Float64Array[] {
  let at = 0
  return subsets.map((s) => {
    const part = fitted.posterior.slice(at, at + s.gold.length * CLASSES.length)
    at += part.length
    return part
  })
}

function scored(s: Subset): number[] {
  return s.question.flatMap((q, i) => (flags.half === 'all' || half(q) === flags.half ? [i] : []))
}

function f1Of(s: Subset, said: ArrayLike<number>): (items: readonly number[]) => number {
  return (items) => macroF1(confusion(CLASSES, s.gold, said, items))
}

function byQuestion<T>(
  s: Subset,
  items: readonly number[],
  run: (groups: Int32Array, at: (i: readonly number[]) => number[]) => T,
): T {
  return run(groupsOf(items.map((i) => s.question[i]!)), (local) => local.map((l) => items[l]!))
}

function ece(s: Subset, posterior: Float64Array, items: readonly number[]): number {
  const said = decide({ classes: CLASSES, posterior })
  return expectedCalibrationError(
    items.map((i) => posterior[i * CLASSES.length + said[i]!]!),
    items.map((i) => said[i] === s.gold[i]),
  )
}

function votesOf(s: Subset, source: number): Int8Array {
  return Int8Array.from(s.gold, (_, i) => s.votes.votes[i * s.votes.sources.length + source]!)
}

function bestJudge(s: Subset, items: readonly number[]): { source: number; f1: number } {
  return s.votes.sources
    .map((_, source) => ({ source, f1: f1Of(s, votesOf(s, source))(items) }))
    .reduce((best, one) => (one.f1 > best.f1 ? one : best))
}

interface Row {
  model: string
  macroF1: Estimate
  ece: number | null
  /** Paired difference to the best single judge, chosen with the gold labels of these rows. */
  overBestJudge: Estimate | null
}

function withoutGold(): { subset: string; rows: Row[] }[] {
  const merged = splitPosterior(sequenceDawidSkene.fit(whole))
  return subsets.map((s, index) => {
    const items = scored(s)
    const best = bestJudge(s, items)
    const judge = f1Of(s, votesOf(s, best.source))
    const row = (model: string, posterior: Float64Array): Row => {
      const f1 = f1Of(s, decide({ classes: CLASSES, posterior }))
      return byQuestion(s, items, (groups, at) => ({
        model,
        macroF1: bootstrap(groups, (local) => f1(at(local))),
        ece: ece(s, posterior, items),
        overBestJudge: pairedBootstrap(
          groups,
          (local) => f1(at(local)),
          (local) => judge(at(local)),
        ),
      }))
    }
    const single: Row = byQuestion(s, items, (groups, at) => ({
      model: `best judge (gold): ${s.votes.sources[best.source]}`,
      macroF1: bootstrap(groups, (local) => judge(at(local))),
      ece: null,
      overBestJudge: null,
    }))
    const rows = LABEL_MODELS.filter((m) => m.gold !== 'required').map((m) => row(m.name, m.fit(s.votes).posterior))
    return { subset: s.name, rows: [single, ...rows, row('sequence-dawid-skene, 4 sets', merged[index]!)] }
  })
}

interface Drawn {
  subset: string
  /** Mean macro-F1 on the rest over the draws. */
  means: Record<string, number>
  /** Of model minus judge chosen on the same gold steps: mean over draws and share of draws above 0. */
  overChosenJudge: Record<string, { mean: number; wins: number }>
}

function withGold(draws: number): Drawn[] {
  const models = LABEL_MODELS.filter((m) => m.gold !== 'ignored')
  const tables = subsets.map(() => new Map<string, number[]>())
  for (let draw = 0; draw < draws; draw++) {
    const known = subsets.map((s) => drawGold(s, draw))
    const shared = splitPosterior(sequenceDawidSkene.fit(whole, {}, Int8Array.from(known.flatMap((k) => [...k]))))
    subsets.forEach((s, index) => {
      const gold = known[index]!
      const train = [...gold.keys()].filter((i) => gold[i]! >= 0)
      const test = scored(s).filter((i) => gold[i]! < 0)
      const note = (name: string, said: Int8Array): void => {
        const table = tables[index]!
        table.set(name, [...(table.get(name) ?? []), f1Of(s, said)(test)])
      }
      note('judge chosen on the gold steps', votesOf(s, bestJudge(s, train).source))
      note('majority', decide(majority.fit(s.votes)))
      note('dawid-skene without gold', decide(dawidSkene.fit(s.votes)))
      for (const m of models) note(m.name, decide(m.fit(s.votes, {}, gold)))
      note('sequence-dawid-skene, 4 sets', decide({ classes: CLASSES, posterior: shared[index]! }))
    })
  }
  return subsets.map((s, index) => {
    const table = tables[index]!
    const chosen = table.get('judge chosen on the gold steps') ?? []
    const others = [...table].filter(([name]) => name !== 'judge chosen on the gold steps')
    return {
      subset: s.name,
      means: Object.fromEntries([...table].map(([name, f1]) => [name, mean(f1)])),
      overChosenJudge: Object.fromEntries(
        others.map(([name, f1]) => {
          const gaps = f1.map((v, d) => v - chosen[d]!)
          return [name, { mean: mean(gaps), wins: gaps.filter((g) => g > 0).length / gaps.length }]
        }),
      ),
    }
  })
}

/** Gold labels of the steps of questions in random order until there are {@link GOLD_STEPS}; -1 elsewhere. */
function drawGold(s: Subset, draw: number): Int8Array {
  const gold = new Int8Array(s.gold.length).fill(-1)
  let count = 0
  for (const q of random(`bench/agent-process-bench/${s.name}/${draw}`).shuffle([...new Set(s.question)])) {
    if (count >= GOLD_STEPS) break
    s.question.forEach((own, i) => {
      if (own !== q) return
      gold[i] = s.gold[i]!
      count++
    })
  }
  return gold
}

function print(): void {
  const f = (x: number): string => x.toFixed(3).replace(/^(-?)0\./, '$1.')
  console.log(`without gold labels, ${flags.half} rows: macro-F1 [95 % by question], ECE, difference to the best judge`)
  for (const { subset, rows } of unsupervised) {
    console.log(`\n${subset}`)
    for (const { model, macroF1: m, ece: e, overBestJudge: d } of rows) {
      const gap = d === null ? '' : `${f(d.value)} [${f(d.low)}, ${f(d.high)}]`
      console.log(
        `  ${model.padEnd(46)} ${f(m.value)} [${f(m.low)}, ${f(m.high)}]  ${e === null ? '    ' : f(e)}  ${gap}`,
      )
    }
  }
  console.log(
    `\nwith ${GOLD_STEPS} gold steps, mean of ${flags.draws} draws: macro-F1, difference to the chosen judge, share of draws above it`,
  )
  for (const { subset, means, overChosenJudge } of supervised) {
    console.log(`\n${subset}`)
    for (const [name, value] of Object.entries(means)) {
      const gap = overChosenJudge[name]
      console.log(`  ${name.padEnd(46)} ${f(value)}  ${gap ? `${f(gap.mean)}  ${Math.round(gap.wins * 100)} %` : ''}`)
    }
  }
}
