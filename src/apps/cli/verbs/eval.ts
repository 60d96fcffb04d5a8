import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { half, questionOf } from '../../../core/split.ts'
import type { Trace } from '../../../core/words.ts'
import { readTraces } from '../../../io/read.ts'
import { openText } from '../../../io/write.ts'
import { type Case, casesOf, type Predictor, predictorOf, trivialPredictors } from '../../../prove/cases.ts'
import { evaluate } from '../../../prove/evaluate.ts'
import { markdown, plain } from '../../../prove/report/text.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  gold: z
    .array(z.string())
    .optional()
    .describe('files with the labels of people; the first file itself where not given'),
  half: z.enum(['all', 'tune', 'report']).default('all').describe('half of the questions to score'),
  benchmark: z.string().optional().describe('one rule by name; all that apply where not given'),
  markdown: z.boolean().default(false).describe('tables as Markdown'),
  output: z.string().optional().describe('write the tables to a file: .json, .md or .html (with plots)'),
  json: z.boolean().default(false).describe('tables as JSON'),
})

export const evaluation = verb({
  name: 'eval',
  summary: "labels against people's labels, by each set's own rule",
  arguments: '<file...>',
  options: Options,
  examples: ['gradus eval labelled.jsonl', 'gradus eval merged.jsonl judge.jsonl --gold people.jsonl --json'],
  async run(files, options, terminal) {
    if (files.length === 0)
      throw new GradusError('GRD-CLI-001', { found: 'no file', expected: 'files with verdicts or labels' })
    let lost = 0
    const read = async (file: string): Promise<Trace[]> => {
      const { traces, report } = await readTraces(file)
      lost += Object.values(report.rejectedByCode).reduce((a, b) => a + b, 0)
      return traces
    }
    const goldFiles = options.gold ?? [files[0]!]
    const gold = (await Promise.all(goldFiles.map(read))).flat()
    const cases = casesOf(gold, goldFiles.join(', ')).filter(
      (c) => options.half === 'all' || half(questionOf(c.trace.problem)) === options.half,
    )
    const predictors: Predictor[] = []
    for (const file of files) predictors.push(await predictor(file, read, cases, options.gold === undefined))
    const tables = evaluate(cases, [...predictors, ...trivialPredictors(cases)], options.benchmark)
    const json = `${JSON.stringify({ gold: goldFiles, half: options.half, tables })}\n`
    const rendered = async (path: string): Promise<string> => {
      if (path.endsWith('.json')) return json
      if (!path.endsWith('.html')) return markdown(tables)
      const { evalReport } = await import('../../../prove/report/eval-report.ts')
      return await evalReport(`Evaluation of ${files.join(', ')}`, cases, predictors, tables)
    }
    if (options.output !== undefined) {
      const out = await openText(options.output)
      await out.write(await rendered(options.output))
      await out.close()
    }
    terminal.out(options.json ? json : options.markdown ? markdown(tables) : plain(tables))
    return lost > 0 ? EXIT.lost : EXIT.done
  },
})

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
