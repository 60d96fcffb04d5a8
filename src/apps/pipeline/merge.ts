import { basename, dirname } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import { entryOf } from '../../core/unknown.ts'
import type { Evidence, Label, Step, Trace } from '../../core/words.ts'
import { LABEL_MODELS } from '../../label/label-models/index.ts'
import type { Fitted, LabelModel } from '../../label/label-models/label-model.ts'
import { ABSTAIN, type SourceLabels, votesOfTraces } from '../../label/label-models/votes.ts'
import { verdictFromRisks } from '../../label/verdict.ts'
import { goldOf, predictionOf, STEP_CLASSES } from '../../prove/cases.ts'

/** What one file says about the traces it has. */
export interface VoterFile {
  file: string
  traces: readonly Trace[]
}

export interface Merged {
  traces: Trace[]
  fitted: Fitted
  /** Share of votes that are there. */
  coverage: number
}

/** @throws GradusError GRD-LABEL-001 */
export function labelModelNamed(name: string): LabelModel {
  const found = LABEL_MODELS.find((m) => m.name === name)
  if (found) return found
  throw new GradusError('GRD-LABEL-001', {
    found: name,
    expected: `one of ${LABEL_MODELS.map((m) => m.name).join(', ')}`,
    try: ['gradus methods label-models'],
  })
}

/**
 * One posterior a step from the labels of several sources; traces are joined by id, steps by origin.
 *
 * Files of one annotator or folder are one source. A trace that a source lacks, a step that it does not label and a label that
 * could not be read are abstentions. Traces of different domains (`problem.domain`) are told apart for models that
 * learn a source's behaviour by domain, and so are labels of the whole run.
 * @param gold traces with labels of people, for models that use some
 * @throws GradusError GRD-LABEL-003 where fewer than two sources are given
 */
export function mergeFiles(files: readonly VoterFile[], model: LabelModel, gold: readonly Trace[] = []): Merged {
  const voters = votersOf(files)
  if (voters.length < 2) {
    throw new GradusError('GRD-LABEL-003', {
      found: `${voters.length} source`,
      expected: 'files of at least two sources',
    })
  }
  const bases = baseTraces(files)
  const list = [...bases.values()]
  const sources = new Map<string, SourceLabels>(voters.map((v) => [v.name, votesOf(v.traces.values(), bases)]))
  const classes = usedClasses(sources)
  const matrix = votesOfTraces(
    classes,
    list.map((t) => ({ id: t.id, steps: t.steps.length })),
    sources,
  )
  const outcomes = outcomesOf(list, voters, classes)
  const domain = domainsOf(list)
  const voiced = matrix.votes.reduce((n, v) => n + (v < 0 ? 0 : 1), 0)
  if (voiced === 0 && outcomes === undefined) {
    throw new GradusError('GRD-LABEL-003', {
      where: { file: files.map((f) => f.file).join(', ') },
      found: `no labels and no verdicts in ${list.length} traces`,
      expected: 'files that were labelled',
      try: ['gradus label FILE -o labelled.jsonl'],
    })
  }
  const fitted = model.fit(
    { ...matrix, ...(outcomes && { outcomes }), ...(domain && { domain }) },
    {},
    goldVector(gold, bases, classes),
  )
  let item = 0
  const traces = list.map((base) => {
    const steps = base.steps.map(() => distribution(fitted, item++))
    return mergedTrace(base, evidenceOf(base, voters), steps, model.name)
  })
  return { traces, fitted, coverage: voiced / Math.max(1, matrix.votes.length) }
}

interface Voter {
  name: string
  traces: ReadonlyMap<string, Trace>
}

/**
 * Files that make one source: those of one annotator, else of one folder, else of one name. A trace has one label a
 * source, so a gathering in which a trace occurs twice is not the right one (two runs of a judge often share its name).
 */
function votersOf(files: readonly VoterFile[]): Voter[] {
  const names: ((f: VoterFile) => string)[] = [
    (f) => annotatorOf(f.traces),
    (f) => basename(dirname(f.file)),
    (f) => basename(f.file),
  ]
  for (const name of names) {
    const voters = gathered(files, name)
    if (voters && voters.length > 1) return voters
  }
  return files.map((f) => ({ name: f.file, traces: new Map(f.traces.map((t) => [t.id, t])) }))
}

/** Null where a file has no name or a trace would occur twice. */
function gathered(files: readonly VoterFile[], nameOf: (f: VoterFile) => string): Voter[] | null {
  const voters = new Map<string, Map<string, Trace>>()
  for (const file of files) {
    const name = nameOf(file)
    const traces = voters.get(name) ?? new Map<string, Trace>()
    voters.set(name, traces)
    for (const trace of file.traces) {
      if (name === '' || traces.has(trace.id)) return null
      traces.set(trace.id, trace)
    }
  }
  return [...voters].map(([name, traces]) => ({ name, traces }))
}

/** Traces x sources: what each says of the whole run (AgentProcessBench's `final_label`); undefined where nobody does. */
function outcomesOf(
  bases: readonly Trace[],
  voters: readonly Voter[],
  classes: readonly string[],
): Int8Array | undefined {
  const out = new Int8Array(bases.length * voters.length).fill(ABSTAIN)
  let said = false
  bases.forEach((base, t) => {
    voters.forEach((voter, s) => {
      const whole = voter.traces.get(base.id)?.evidence?.find((e) => e.kind === 'imported' && e.step === null)
      const name =
        whole?.kind === 'imported' && base.source.dataset === 'agentprocessbench'
          ? entryOf(RUN_CLASS, whole.raw)
          : undefined
      const vote = name === undefined ? -1 : classes.indexOf(name)
      if (vote < 0) return
      said = true
      out[t * voters.length + s] = vote
    })
  })
  return said ? out : undefined
}

const RUN_CLASS: Record<string, (typeof STEP_CLASSES)[number]> = { '1': 'right', '0': 'neutral', '-1': 'wrong' }

/** The number of each step's domain; undefined where all are one. */
function domainsOf(bases: readonly Trace[]): Int32Array | undefined {
  const numbers = new Map<string, number>()
  const domain = bases.flatMap((t) => {
    const name = t.problem.domain ?? ''
    if (!numbers.has(name)) numbers.set(name, numbers.size)
    return t.steps.map(() => numbers.get(name)!)
  })
  return numbers.size > 1 ? Int32Array.from(domain) : undefined
}

/** The traces of all files by id, with the steps of all of them, in the order of first appearance. */
function baseTraces(files: readonly VoterFile[]): Map<string, Trace> {
  const bases = new Map<string, Trace>()
  for (const { traces } of files) {
    for (const trace of traces) {
      const known = bases.get(trace.id)
      bases.set(trace.id, known === undefined ? trace : { ...known, steps: joinSteps(known.steps, trace.steps) })
    }
  }
  return bases
}

function joinSteps(a: readonly Step[], b: readonly Step[]): Step[] {
  if (a.length === b.length && a.every((s, i) => s.origin === b[i]!.origin)) return [...a]
  const numbered = [...a, ...b].every((s) => typeof s.origin === 'number')
  if (!numbered) return a.length >= b.length ? [...a] : [...b]
  const byOrigin = new Map(a.map((s) => [Number(s.origin), s]))
  for (const s of b) if (!byOrigin.has(Number(s.origin))) byOrigin.set(Number(s.origin), s)
  return [...byOrigin].sort(([x], [y]) => x - y).map(([, s]) => s)
}

function annotatorOf(traces: readonly Trace[]): string {
  const first = traces[0]?.evidence?.find((e) => e.kind === 'imported')
  return first?.kind === 'imported' ? (first.annotator ?? '') : ''
}

function votesOf(traces: Iterable<Trace>, bases: ReadonlyMap<string, Trace>): SourceLabels {
  return new Map(
    [...traces].map((trace) => {
      const votes = predictionOf(trace).classes.map((c) =>
        c === null ? null : STEP_CLASSES[c.indexOf(Math.max(...c))]!,
      )
      const steps = bases.get(trace.id)!.steps
      if (steps.length === votes.length) return [trace.id, votes]
      const byOrigin = new Map(trace.steps.map((s, i) => [s.origin, votes[i] ?? null]))
      return [trace.id, steps.map((s) => byOrigin.get(s.origin) ?? null)]
    }),
  )
}

function usedClasses(sources: ReadonlyMap<string, SourceLabels>): string[] {
  const used = new Set<string>()
  for (const labels of sources.values())
    for (const steps of labels.values()) for (const c of steps) if (c !== null) used.add(c)
  return STEP_CLASSES.filter((c) => c !== 'neutral' || used.has(c))
}

function goldVector(
  gold: readonly Trace[],
  bases: ReadonlyMap<string, Trace>,
  classes: readonly string[],
): Int8Array | undefined {
  if (gold.length === 0) return undefined
  const byId = new Map(gold.map((t) => [t.id, t]))
  const out: number[] = []
  for (const base of bases.values()) {
    const trace = byId.get(base.id)
    const said = trace === undefined ? undefined : goldOf(trace)
    const byOrigin = new Map(trace?.steps.map((s, i) => [s.origin, said?.classes[i]]))
    base.steps.forEach((s, i) => {
      const name = s.origin === undefined ? said?.classes[i] : byOrigin.get(s.origin)
      out.push(name === undefined ? -1 : classes.indexOf(name))
    })
  }
  return Int8Array.from(out)
}

function distribution(fitted: Fitted, item: number): Record<string, number> {
  const k = fitted.classes.length
  return Object.fromEntries(fitted.classes.map((name, c) => [name, fitted.posterior[item * k + c]!]))
}

function evidenceOf(base: Trace, voters: readonly Voter[]): Evidence[] {
  const position = new Map(base.steps.map((s, i) => [s.origin, i]))
  return voters.flatMap(({ name, traces }) => {
    const trace = traces.get(base.id)
    return (trace?.evidence ?? []).map((e): Evidence => {
      const origin = e.step === null ? undefined : trace?.steps[e.step]?.origin
      const step = origin === undefined ? e.step : (position.get(origin) ?? e.step)
      const moved = { ...e, step } as Evidence
      return moved.kind === 'imported' ? { ...moved, annotator: name } : moved
    })
  })
}

function mergedTrace(
  base: Trace,
  evidence: Evidence[],
  steps: readonly Record<string, number>[],
  source: string,
): Trace {
  const risk = steps.map((s) => s.wrong ?? 0)
  const verdict = { ...verdictFromRisks(risk, source), classes: [...steps] }
  const labels: Label[] = steps.map((classes, step) => ({
    step,
    meaning: 'correctness',
    value: 1 - risk[step]!,
    classes,
    source,
  }))
  if (verdict.firstError !== null) labels.unshift({ meaning: 'first-error', value: verdict.firstError, source })
  const { extra: _, ...rest } = base
  return { ...rest, evidence, labels, verdict }
}
