import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { half, questionOf } from '../../../core/split.ts'
import type { Trace } from '../../../core/words.ts'
import { leftOut, type ReadReport, readTraces } from '../../../io/read.ts'
import { openText } from '../../../io/write.ts'
import { agreements } from '../../../prove/agreement.ts'
import { hasTrials, type OutcomeTable, outcomeTables } from '../../../prove/benchmarks/outcome.ts'
import { calibrations } from '../../../prove/calibration.ts'
import { type Case, casesOf, type Predictor, predictorOf, trivialPredictors } from '../../../prove/cases.ts'
import { evaluate } from '../../../prove/evaluate.ts'
import {
  agreementTables,
  differenceTables,
  markdownFacts,
  outcomeTexts,
  plainFacts,
} from '../../../prove/report/facts-text.ts'
import { markdown, plain } from '../../../prove/report/text.ts'
import { leftOutLines } from '../show/left-out.ts'
import { EXIT, verb } from '../verb.ts'
import { evalBon } from './eval-bon.ts'

const Options = z.object({
  gold: z
    .array(z.string())
    .optional()
    .describe('files with the labels of people; the first file itself where not given'),
  half: z.enum(['all', 'tune', 'report']).default('all').describe('half of the questions to score'),
  benchmark: z.string().optional().describe('one rule by name; all that apply where not given'),
  bon: z
    .boolean()
    .default(false)
    .describe('best of N: several scored traces a problem (gradus score), with audits of each reward model'),
  truth: z.string().optional().describe('with --bon: source of the labels that say which steps are right'),
  markdown: z.boolean().default(false).describe('tables as Markdown'),
  output: z.string().optional().describe('write the tables to a file: .json, .md or .html (with plots)'),
  json: z.boolean().default(false).describe('tables as JSON'),
})

export const evaluation = verb({
  name: 'eval',
  summary: "labels against people's labels, by each set's own rule",
  arguments: '<file...>',
  options: Options,
  examples: [
    'gradus eval labelled.jsonl',
    'gradus eval merged.jsonl judge.jsonl --gold people.jsonl --json',
    'gradus eval --bon scored.jsonl -o best-of-n.html',
  ],
  async run(files, options, terminal) {
    if (files.length === 0)
      throw new GradusError('GRD-CLI-001', { found: 'no file', expected: 'files with verdicts or labels' })
    if (options.bon) return await evalBon(files, options, terminal)
    const reports: ReadReport[] = []
    const known = new Map<string, Trace[]>()
    const read = async (file: string): Promise<Trace[]> => {
      const already = known.get(file)
      if (already) return already
      const { traces, report } = await readTraces(file)
      reports.push(report)
      known.set(file, traces)
      return traces
    }
    const goldFiles = options.gold ?? [files[0]!]
    const gold = (await Promise.all(goldFiles.map(read)))
      .flat()
      .filter((t) => options.half === 'all' || half(questionOf(t.problem)) === options.half)
    const outcomes = outcomeTables(gold)
    const ownGold = options.gold === undefined
    const onlyOutcomes =
      ownGold && files.length === 1 && options.benchmark === undefined && sayOnlyOutcomes(gold, outcomes)
    const cases = onlyOutcomes ? [] : casesOf(gold, goldFiles.join(', '))
    const predictors: Predictor[] = []
    if (!onlyOutcomes) for (const file of files) predictors.push(await predictor(file, read, cases, ownGold))
    const tables = onlyOutcomes ? [] : evaluate(cases, [...predictors, ...trivialPredictors(cases)], options.benchmark)
    const agreement = agreements(cases, predictors)
    const shownOutcomes = onlyOutcomes || hasTrials(outcomes) ? outcomes : []
    const facts = [...differenceTables(tables), ...agreementTables(agreement), ...outcomeTexts(shownOutcomes)]
    const calibration = calibrations(cases, predictors)
    const json = `${JSON.stringify({ gold: goldFiles, half: options.half, tables, agreement, calibration, outcomes: shownOutcomes })}\n`
    const asMarkdown = (): string => [markdown(tables), markdownFacts(facts)].filter((t) => t !== '').join('\n')
    const rendered = async (path: string): Promise<string> => {
      if (path.endsWith('.json')) return json
      if (!path.endsWith('.html')) return asMarkdown()
      const { evalReport } = await import('../../../prove/report/eval-report.ts')
      return await evalReport(`Evaluation of ${files.join(', ')}`, cases, predictors, tables, facts)
    }
    if (options.output !== undefined) {
      const out = await openText(options.output)
      await out.write(await rendered(options.output))
      await out.close()
    }
    const asText = (): string => [plain(tables), plainFacts(facts)].filter((t) => t !== '').join('\n')
    terminal.out(options.json ? json : options.markdown ? asMarkdown() : asText())
    if (onlyOutcomes)
      terminal.err(
        `no verdicts in ${files[0]}: only outcomes are shown; next: gradus label ${files[0]} -o labelled.jsonl\n`,
      )
    for (const line of leftOutLines(reports)) terminal.err(`${line}\n`)
    return reports.some((report) => leftOut(report) > 0) ? EXIT.lost : EXIT.done
  },
})

/** Nothing to score, but runs that succeeded and runs that failed: their outcomes are worth a table. */
function sayOnlyOutcomes(traces: readonly Trace[], outcomes: readonly OutcomeTable[]): boolean {
  const nothingSaid = traces.every((t) => t.verdict === undefined)
  return nothingSaid && outcomes.some((t) => t.successes > 0 && t.successes < t.traces)
}

async function predictor(
  file: string,
  read: (file: string) => Promise<Trace[]>,
  cases: readonly Case[],
  ownGold: boolean,
): Promise<Predictor> {
  const traces = await read(file)
  if (ownGold && traces.every((t) => t.verdict === undefined)) {
    throw new GradusError('GRD-EVAL-002', {
      where: { file },
      found: 'labels but no verdicts: they would be compared with themselves',
      expected: 'a labelled file, or --gold',
      try: [`gradus label ${file} -o labelled.jsonl && gradus eval labelled.jsonl`],
    })
  }
  return predictorOf(file, traces, cases)
}
