import { createInterface } from 'node:readline'
import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { equal } from '../../../worlds/answers/equal.ts'
import { oneLine } from '../show/style.ts'
import { EXIT, type ExitCode, type Terminal, verb } from '../verb.ts'

const Options = z.object({
  tsv: z
    .boolean()
    .default(false)
    .describe('read pairs from standard input, one a line with a tab between, and write one verdict a line'),
  tolerance: z.number().min(0).default(0).describe('relative distance within which numbers count as equal'),
  json: z.boolean().default(false).describe('each verdict as one JSON object'),
})

export const equality = verb({
  name: 'equal',
  summary: 'do two written answers say the same?',
  arguments: '[answers...]',
  options: Options,
  examples: [
    "gradus equal '\\frac{1}{2}' 0.5",
    "gradus equal 'x^2 - 1' '(x - 1)(x + 1)' --json",
    'gradus equal --tsv < pairs.tsv',
  ],
  async run(answers, options, terminal) {
    if (options.tsv) {
      if (answers.length === 0) return await eachLine(options, terminal)
      throw new GradusError('GRD-CLI-001', { found: answers.join(' '), expected: 'no answers beside --tsv' })
    }
    const [a, b, ...more] = answers
    if (a === undefined || b === undefined || more.length > 0) {
      throw new GradusError('GRD-CLI-001', {
        found: `${answers.length} answers`,
        expected: 'two answers',
        try: ["gradus equal '1/2' 0.5", 'put an answer with blanks in quotes, and -- before one that starts with -'],
      })
    }
    const said = equal(a, b, { tolerance: options.tolerance })
    terminal.out(options.json ? `${JSON.stringify(said)}\n` : `${said.verdict}   ${oneLine(said.reason, 200)}\n`)
    return EXIT.done
  },
})

/** A line that is no pair gets `unknown`, so that the lines of both sides stay together. */
async function eachLine(options: z.output<typeof Options>, terminal: Terminal): Promise<ExitCode> {
  let number = 0
  let lost = 0
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    const [a, b, ...more] = line.split('\t')
    const pair = a !== undefined && b !== undefined && more.length === 0
    if (!pair) {
      lost++
      terminal.err(`line ${number}: ${more.length + (b === undefined ? 1 : 2)} columns instead of 2\n`)
    }
    const said = pair
      ? equal(a, b, { tolerance: options.tolerance })
      : { verdict: 'unknown', reason: 'not two answers', method: 'none' }
    terminal.out(options.json ? `${JSON.stringify(said)}\n` : `${said.verdict}\t${oneLine(said.reason, 200)}\n`)
  }
  return lost > 0 ? EXIT.lost : EXIT.done
}
