import { half, questionOf } from '../../../core/split.ts'
import type { Trace } from '../../../core/words.ts'
import { leftOut, type ReadReport, readTraces } from '../../../io/read.ts'
import { openText } from '../../../io/write.ts'
import { bestOfNCurves, poolOf } from '../../../prove/bon.ts'
import { markdownFacts, plainFacts } from '../../../prove/report/facts-text.ts'
import { auditTables, bonTables } from '../../../prove/report/reward-text.ts'
import { auditLines, auditReward } from '../../../prove/reward-audits.ts'
import { leftOutLines } from '../show/left-out.ts'
import { EXIT, type ExitCode, type Terminal } from '../verb.ts'

interface BonOptions {
  half: 'all' | 'tune' | 'report'
  truth?: string | undefined
  output?: string | undefined
  markdown: boolean
  json: boolean
}

/** `gradus eval --bon scored.jsonl`: curves of every arm, then the audits of every reward model in the file. */
export async function evalBon(files: readonly string[], options: BonOptions, terminal: Terminal): Promise<ExitCode> {
  const all: Trace[] = []
  const reports: ReadReport[] = []
  for (const file of files) {
    const { traces, report } = await readTraces(file)
    all.push(...traces)
    reports.push(report)
  }
  const traces = all.filter((t) => options.half === 'all' || half(questionOf(t.problem)) === options.half)
  const { questions, scorers } = poolOf(traces)
  const bon = bestOfNCurves(questions, scorers)
  const audited = scorers.map((scorer) => {
    const own = traces.flatMap((trace) => {
      const labels = (trace.labels ?? []).filter((label) => label.source === `reward:${scorer.name}`)
      const ofSteps = labels.flatMap((label) => (label.meaning === 'first-error' ? [] : [label]))
      return ofSteps.length === 0 ? [] : [{ trace, ofSteps }]
    })
    const scores = own.map(({ trace, ofSteps }) =>
      trace.steps.map((_, step) => ofSteps.find((label) => label.step === step)?.value ?? null),
    )
    const meaning = own[0]?.ofSteps[0]?.meaning === 'value' ? 'value' : 'correctness'
    const lines = auditLines(
      own.map(({ trace }) => trace),
      scores,
      options.truth,
    )
    return { ...scorer, audit: auditReward(lines, { meaning, aggregate: scorer.aggregate }) }
  })
  const facts = [...bonTables(bon), ...audited.flatMap(({ name, audit }) => auditTables(name, audit))]
  const json = `${JSON.stringify({ half: options.half, bon, scorers: audited })}\n`
  if (options.output !== undefined) {
    const out = await openText(options.output)
    await out.write(await rendered(options.output))
    await out.close()
  }
  terminal.out(options.json ? json : options.markdown ? markdownFacts(facts) : plainFacts(facts))
  for (const line of leftOutLines(reports)) terminal.err(`${line}\n`)
  return reports.some((report) => leftOut(report) > 0) ? EXIT.lost : EXIT.done

  async function rendered(path: string): Promise<string> {
    if (path.endsWith('.json')) return json
    if (!path.endsWith('.html')) return markdownFacts(facts)
    const { rewardReport } = await import('../../../prove/report/reward-report.ts')
    return rewardReport(`Best of N: ${files.join(', ')}`, bon, audited)
  }
}
