import { describePlace, explain, type GradusError } from '../../../core/errors.ts'
import { addUsage, type Evidence, NO_USAGE, type Trace, type Usage } from '../../../core/words.ts'
import type { Counts } from '../../../engine/engine.ts'
import { leftOut, type ReadReport } from '../../../io/read.ts'
import type { Skipped } from '../../../label/annotators/annotator.ts'
import type { RecoveryRate } from '../../../label/recovery-rate.ts'
import { UNREADABLE } from '../../../models/rewards/judge.ts'
import { goldOf } from '../../../prove/cases.ts'
import { type LabelReport, REPORT_TRACES } from '../../../prove/report/label-report.ts'
import { leftOutLines } from './left-out.ts'
import { columns, count } from './style.ts'

/** Counts of a labelling run: what was found, what abstained, what was left out. */
export class LabelSummary {
  traces = 0
  wrong = 0
  clean = 0
  unsure = 0
  steps = 0
  decided = 0
  /** Steps with a label that is not of correctness. */
  valued = 0
  lost = 0
  /** Traces that were begun when the run was stopped, and are not in the output. */
  unfinished = 0
  /** Why annotators did not look at traces: how many, and the first error of each code. */
  readonly #refused = new Map<string, { count: number; first: GradusError }>()
  /** Traces on which a reward model failed, by code. */
  readonly #failed = new Map<string, { count: number; first: GradusError }>()
  /** Judgements without a verdict: of judges that could not say, and answers that could not be read. */
  readonly #silent = { unsure: 0, unreadable: 0 }
  #engine: { counts: Counts; stopped: GradusError | undefined; spent: Usage } | null = null
  /** Traces with labels of people or of a published set, which can be compared with. */
  #gold = 0
  readonly #byAnnotator: Map<string, { correct: number; incorrect: number }>
  readonly #rollouts = new Map<string, { successes: number; trials: number }>()
  /** Traces whose problem teaches nothing by its outcomes: all rollouts from the start end alike. */
  readonly #dead = { allRight: 0, allWrong: 0 }
  #spent: Usage = NO_USAGE
  readonly #spentBy = new Map<string, Usage>()
  readonly #explored: { problems: number; withoutTraces: number } | null = null
  readonly #rejected: GradusError[] = []
  #recovery: { rate: RecoveryRate; warning: string | null } | null = null
  readonly #reports: ReadReport[] = []
  /** First wrong steps as share of their trace. */
  readonly #positions: number[] = []
  readonly #examples: { wrong: Trace[]; other: Trace[] } = { wrong: [], other: [] }
  readonly #start = performance.now()

  /** @param explores does the run begin with problems? */
  constructor(annotators: readonly string[], explores = false) {
    if (explores) this.#explored = { problems: 0, withoutTraces: 0 }
    this.#byAnnotator = new Map(annotators.map((name) => [name, { correct: 0, incorrect: 0 }]))
  }

  /** A problem was explored. */
  explored(traces: number, skipped: Skipped | undefined): void {
    if (!this.#explored) return
    this.#explored.problems++
    if (traces === 0) this.#explored.withoutTraces++
    if (skipped === 'all-right') this.#dead.allRight++
    if (skipped === 'all-wrong') this.#dead.allWrong++
  }

  /** A record of a file of problems that could not be read. */
  reject(error: GradusError): void {
    this.#rejected.push(error)
    this.lost++
  }

  add(trace: Trace): void {
    this.traces++
    if (goldOf(trace) !== null) this.#gold++
    this.steps += trace.steps.length
    const first = trace.verdict?.firstError ?? null
    if (first === null) this.unsure++
    else if (first === -1) this.clean++
    else {
      this.wrong++
      this.#positions.push((first + 0.5) / trace.steps.length)
    }
    const kept = first !== null && first >= 0 ? this.#examples.wrong : this.#examples.other
    if (kept.length < REPORT_TRACES) kept.push(trace)
    this.valued += (trace.labels ?? []).filter(
      (l) => l.source === trace.verdict?.source && l.meaning !== 'first-error' && l.meaning !== 'correctness',
    ).length
    this.decided += trace.verdict?.risk.filter((r) => r !== null).length ?? 0
    for (const e of trace.evidence ?? []) {
      // Of a tree: counted with the trace that it was paid for.
      if (this.#explored && e.kind === 'rollouts' && !e.usage) continue
      const seen = e.kind === 'tool' ? this.#byAnnotator.get(e.source) : undefined
      if (e.kind === 'rollouts' && e.step === -1 && e.trials > 1) {
        if (e.successes === e.trials) this.#dead.allRight++
        else if (e.successes === 0) this.#dead.allWrong++
      }
      if (e.kind === 'rollouts') {
        const of = this.#rollouts.get(e.source) ?? { successes: 0, trials: 0 }
        this.#rollouts.set(e.source, { successes: of.successes + e.successes, trials: of.trials + e.trials })
      }
      if (e.kind === 'tool' && seen && e.verdict !== 'unknown') seen[e.verdict]++
      if (e.kind === 'judgement') this.#addJudgement(e)
    }
  }

  #addJudgement({ source, verdict, reason }: Extract<Evidence, { kind: 'judgement' }>): void {
    const seen = this.#byAnnotator.get(source)
    if (!seen) return
    if (verdict === 'correct' || verdict === 'incorrect') seen[verdict]++
    else if (reason.startsWith(UNREADABLE)) this.#silent.unreadable++
    else this.#silent.unsure++
  }

  /** A reward model failed on a trace, which got no evidence of it. */
  fail(error: GradusError): void {
    const seen = this.#failed.get(error.code)
    if (seen) seen.count++
    else this.#failed.set(error.code, { count: 1, first: error })
  }

  get failed(): number {
    return [...this.#failed.values()].reduce((sum, { count: n }) => sum + n, 0)
  }

  /** @param by annotator, where known; what measuring the recovery rate costs is nobody's */
  spend(usage: Usage, by?: string): void {
    this.#spent = addUsage(this.#spent, usage)
    if (by !== undefined) this.#spentBy.set(by, addUsage(this.#spentBy.get(by) ?? NO_USAGE, usage))
  }

  spentBy(annotator: string): Usage {
    return this.#spentBy.get(annotator) ?? NO_USAGE
  }

  /** How often the policy recovers from wrong prefixes, and why that is bad for the methods of this run. */
  recovery(rate: RecoveryRate, warning: string | null): void {
    this.#recovery = { rate, warning }
  }

  /** An annotator cannot look at a trace. */
  refused(error: GradusError): void {
    const seen = this.#refused.get(error.code)
    if (seen) seen.count++
    else this.#refused.set(error.code, { count: 1, first: error })
  }

  /** @param spent by all runs of this command */
  ended(counts: Counts, stopped: GradusError | undefined, spent: Usage): void {
    this.#engine = { counts, stopped, spent }
  }

  /** Calls that were given up; what they would have brought is no evidence. */
  get failedCalls(): number {
    return Object.values(this.#engine?.counts.failed ?? {}).reduce((sum, n) => sum + n, 0)
  }

  addReport(report: ReadReport): void {
    this.#reports.push(report)
    this.lost += leftOut(report)
  }

  errors(): string[] {
    return [...leftOutLines(this.#reports), ...this.#rejected.map(explain)]
  }

  toJSON(): Record<string, unknown> {
    const { traces, wrong, clean, unsure, steps, decided, lost } = this
    return {
      traces,
      firstWrongStep: wrong,
      clean,
      cannotSay: unsure,
      steps,
      stepsDecided: decided,
      ...(this.valued > 0 && { stepsValued: this.valued }),
      leftOut: lost,
      ...(this.#explored && { explored: this.#explored }),
      modelCalls: this.#spent.calls,
      ...(this.#spent.calls > 0 && { completionTokens: this.#spent.completionTokens }),
      annotators: Object.fromEntries(this.#byAnnotator),
      ...(this.#rollouts.size > 0 && { rollouts: Object.fromEntries(this.#rollouts) }),
      ...(this.#refused.size > 0 && {
        refused: Object.fromEntries([...this.#refused].map(([code, { count: n }]) => [code, n])),
      }),
      ...(this.#dead.allRight + this.#dead.allWrong > 0 && { deadGroups: this.#dead }),
      ...(this.unfinished > 0 && { unfinished: this.unfinished }),
      ...(this.failed > 0 && {
        notScored: Object.fromEntries([...this.#failed].map(([code, { count: n }]) => [code, n])),
      }),
      ...(this.#silent.unsure + this.#silent.unreadable > 0 && { withoutVerdict: this.#silent }),
      ...(this.#engine && {
        requests: this.#engine.counts.requests,
        fromCache: this.#engine.counts.cached,
        failedCalls: this.#engine.counts.failed,
        spent: this.#engine.spent,
        ...(this.#engine.stopped && { stopped: this.#engine.stopped }),
      }),
      ...(this.#recovery && {
        recovery: {
          ...this.#recovery.rate,
          ...(this.#recovery.warning !== null && { warning: this.#recovery.warning }),
        },
      }),
      files: this.#reports,
    }
  }

  forReport(): Omit<LabelReport, 'title' | 'files'> {
    const { traces, wrong, clean, unsure, steps, decided } = this
    return {
      traces,
      wrong,
      clean,
      unsure,
      steps,
      decided,
      annotators: [...this.#byAnnotator].map(([name, n]) => ({ name, ...n })),
      leftOut: this.#reports.flatMap((r) =>
        r.rejected.map((e) => ({ where: describePlace(e.where), code: e.code, found: e.found ?? '' })),
      ),
      positions: this.#positions,
      examples: [...this.#examples.wrong, ...this.#examples.other],
    }
  }

  /** @param shown traces with a first wrong step that were printed above */
  text({ shown, output, report }: { shown: number; output: string | undefined; report: string | undefined }): string {
    const seconds = (performance.now() - this.#start) / 1000
    const lines = [
      `  ${count(this.traces)} traces   ${count(this.wrong)} with a first wrong step   ${count(this.clean)} clean   ${count(this.unsure)} cannot say   ${seconds.toFixed(1)} s   ${count(this.#spent.calls)} model calls`,
      ...this.#decisions(),
    ]
    if (this.#explored) {
      const { problems, withoutTraces } = this.#explored
      lines.push(`  ${count(problems)} problems explored, ${count(withoutTraces)} of them without a trace to take`)
    }
    for (const [name, { successes, trials }] of this.#rollouts) {
      lines.push(`  ${name}: ${count(successes)} of ${count(trials)} rollouts end right`)
    }
    for (const [code, { count: n, first }] of this.#refused) {
      lines.push(
        `  ${count(n)} ${this.#explored ? 'problems' : 'traces'} refused: ${code} ${first.found ?? ''}; expected ${first.expected ?? ''}`,
      )
    }
    for (const [code, { count: n, first }] of this.#failed) {
      lines.push(`  ${count(n)} traces were not scored: ${code} ${first.found ?? ''}`)
    }
    const { unsure, unreadable } = this.#silent
    if (unsure + unreadable > 0) {
      lines.push(`  ${count(unsure)} verdicts "cannot say", ${count(unreadable)} missing or not readable: no vote`)
    }
    if (this.#dead.allRight + this.#dead.allWrong > 0) {
      const { allRight, allWrong } = this.#dead
      lines.push(
        `  dead groups: all rollouts from the start end right for ${count(allRight)} ${this.#explored ? 'problems' : 'traces'}, wrong for ${count(allWrong)}`,
      )
    }
    lines.push(...this.#calls())
    if (this.#recovery) {
      const { successes, trials } = this.#recovery.rate
      lines.push(`  recovery: ${count(successes)} of ${count(trials)} rollouts from injected errors end right`)
      if (this.#recovery.warning !== null) lines.push(`  warning  ${this.#recovery.warning}`)
    }
    if (shown > 0 && shown < this.wrong) {
      lines.push(`  ${count(shown)} of the ${count(this.wrong)} are shown above   all: --show ${this.wrong}`)
    }
    if (this.lost > 0) lines.push(`  ${count(this.lost)} records were left out (see above; gradus inspect lists them)`)
    lines.push(
      output === undefined
        ? '  next: add -o labelled.jsonl to keep the labels with their evidence'
        : `  ${output}   next: gradus ${this.#gold > 0 ? 'eval' : 'inspect'} ${output}`,
    )
    if (report !== undefined) lines.push(`  ${report}`)
    return `${lines.join('\n')}\n`
  }

  /** What the engine did for this run, where it did anything. */
  #calls(): string[] {
    if (!this.#engine) return []
    const { counts, stopped, spent } = this.#engine
    const failed = Object.entries(counts.failed).map(([code, n]) => `${count(n)} ${code}`)
    const cost = spent.cost === undefined ? '' : `   $${spent.cost.toFixed(2)}`
    return [
      ...(counts.asked > 0
        ? [
            `  ${count(counts.requests)} calls now, ${count(counts.cached)} samples from the cache   ${count(spent.promptTokens + spent.completionTokens)} tokens in all${cost}`,
          ]
        : []),
      ...(failed.length > 0 ? [`  samples that failed and count neither way: ${failed.join(', ')}`] : []),
      ...(stopped
        ? [
            `  stopped: ${stopped.message}; ${count(this.unfinished)} ${this.#explored ? 'problems' : 'traces'} begun are left out`,
          ]
        : []),
    ]
  }

  /** Steps decided by each annotator, as a table. */
  #decisions(): string[] {
    const said = [...this.#byAnnotator].filter(([, n]) => n.correct + n.incorrect > 0)
    const head = `${count(this.decided)} of ${count(this.steps)} steps decided`
    if (this.valued > 0) return [`  ${count(this.valued)} of ${count(this.steps)} steps have a value`]
    if (said.length === 0) return [`  ${head}: ${this.#rollouts.size > 0 ? 'by rollouts' : 'no annotator applies'}`]
    return columns([
      [head, 'right', 'wrong'],
      ...said.map(([name, n]) => [`  ${name.replace(/^verifier:/, '')}`, count(n.correct), count(n.incorrect)]),
    ]).map((line) => `  ${line}`)
  }
}
