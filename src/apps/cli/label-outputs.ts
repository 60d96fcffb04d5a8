import { GradusError } from '../../core/errors.ts'
import { questionOf } from '../../core/split.ts'
import { addUsage, NO_USAGE, type Trace, type Usage } from '../../core/words.ts'
import type { TraceWriter } from '../../io/trace-writer.ts'
import { openText, type TextOut, traceWriter } from '../../io/write.ts'
import { type AuditItem, type AuditReport, audit } from '../../prove/audit.ts'
import { auditReport } from '../../prove/report/audit-report.ts'
import { taskOf } from '../../worlds/tasks/task-of.ts'
import { taskNamed } from '../pipeline/rollout-check.ts'
import { type TreeWriter, treeWriter } from '../pipeline/tree-writer.ts'
import { type LabelRequest, namesOf } from './label-request.ts'
import type { LabelSummary } from './show/label-summary.ts'

/** Traces are written so many at a time. */
const WRITTEN_TOGETHER = 64

/** What a labelling run writes: traces, trees, a report, an audit, as far as they were asked for. */
export class LabelOutputs {
  trees: TreeWriter | null = null
  #request: LabelRequest
  #writer: TraceWriter | null = null
  #report: TextOut | null = null
  #audit: TextOut | null = null
  #audited: AuditItem[] = []
  #waiting: Trace[] = []

  private constructor(request: LabelRequest) {
    this.#request = request
  }

  /** All outputs are opened before the work, so that a wrong name costs nothing. */
  static async open(request: LabelRequest): Promise<LabelOutputs> {
    const { output, report, audit: audited, trees, dot } = request.options
    const outputs = new LabelOutputs(request)
    try {
      if (report !== undefined) outputs.#report = await openText(report)
      if (audited !== undefined) outputs.#audit = await openText(audited)
      if (output !== undefined) outputs.#writer = await traceWriter(output, undefined, { index: true })
      if (trees !== undefined) outputs.trees = await treeWriter(trees, dot)
      return outputs
    } catch (error) {
      await outputs.abandon()
      throw error
    }
  }

  async add(trace: Trace): Promise<void> {
    if (this.#audit) this.#audited.push(...auditItem(trace, this.#request.options.task))
    this.#waiting.push(trace)
    if (this.#waiting.length >= WRITTEN_TOGETHER) await this.#write()
  }

  /**
   * @param any is there anything to keep under the name of the output?
   * @returns the audit, where one was asked for
   * @throws GradusError GRD-EVAL-001 where no trace can be audited, GRD-IO-013/014
   */
  async close(summary: LabelSummary, any: boolean): Promise<AuditReport | null> {
    await this.#write()
    if (any) await this.#writer?.close()
    else await this.#writer?.abandon()
    await this.trees?.close()
    const { problems, files } = this.#request
    if (this.#report) await writeReport(this.#report, problems ? [problems.name] : files, summary)
    return this.#audit && (await writeAudit(this.#audit, this.#audited, this.#request, summary))
  }

  async abandon(): Promise<void> {
    await this.#writer?.abandon()
    await this.trees?.abandon()
    await this.#report?.abandon()
    await this.#audit?.abandon()
  }

  async #write(): Promise<void> {
    await this.#writer?.write(this.#waiting)
    this.#waiting = []
  }
}

/** What the audit sees of a trace of a built-in task; nothing of others. */
function auditItem(trace: Trace, task: string | undefined): AuditItem[] {
  const own = task === undefined ? taskOf(trace.problem) : taskNamed(task)
  if (!own || trace.steps.length === 0) return []
  const texts = trace.steps.map((step) => step.text)
  const truths = own.oracle(trace.problem, texts)
  return [{ question: questionOf(trace.problem), truths, evidence: trace.evidence ?? [] }]
}

/** @throws GradusError GRD-EVAL-001 where no trace is of a built-in task */
async function writeAudit(
  out: TextOut,
  items: readonly AuditItem[],
  { files, options, plan, relabel, problems }: LabelRequest,
  summary: LabelSummary,
): Promise<AuditReport> {
  if (items.length === 0) {
    await out.abandon()
    throw new GradusError('GRD-EVAL-001', {
      found: 'no trace of a built-in task',
      expected: 'traces whose steps an oracle knows',
      try: ['gradus sample --task arithmetic-chain:1 --policy inject -o traces.jsonl'],
    })
  }
  const seen = new Set(items.flatMap((item) => item.evidence.map((e) => e.source)))
  const names = relabel ? [...seen].sort() : namesOf(plan).filter((name) => seen.has(name))
  const known = audit(
    items,
    names.map((annotator) => ({
      annotator,
      usage: relabel ? storedUsage(items, annotator) : summary.spentBy(annotator),
    })),
    relabel ?? plan.rule,
  )
  const title = `Audit of ${problems?.name ?? files.join(', ')}`
  await out.write(options.audit?.endsWith('.json') ? `${JSON.stringify(known)}\n` : await auditReport(title, known))
  await out.close()
  return known
}

/** What evidence that was stored earlier cost, as far as it says. */
function storedUsage(items: readonly AuditItem[], annotator: string): Usage {
  const own = items.flatMap((item) => item.evidence.filter((e) => e.source === annotator))
  return own.reduce((sum, e) => addUsage(sum, ('usage' in e && e.usage) || NO_USAGE), NO_USAGE)
}

async function writeReport(out: TextOut, files: readonly string[], summary: LabelSummary): Promise<void> {
  const { labelReport } = await import('../../prove/report/label-report.ts')
  await out.write(await labelReport({ title: `Labels of ${files.join(', ')}`, files, ...summary.forReport() }))
  await out.close()
}
