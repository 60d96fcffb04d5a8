import { contentHash } from '../../core/hash.ts'
import { anyText } from '../../core/unknown.ts'
import type { Step, Trace } from '../../core/words.ts'
import { type At, type Format, hasFields, type Sample } from './format.ts'
import { looksLikeEvents } from './sse.ts'
import { cannotHold } from './write.ts'

const NAME = 'plain-text'

/**
 * Reasoning as text: `Step k:` headings, else lines numbered from 1, else paragraphs.
 *
 * Text before the first step, or after `Problem:` / `Question:` / `Task:`, is the prompt; a last part that begins with
 * `Answer:` is the answer, without it the value in `\boxed{}` or after `####` or `the answer is` of the last step. Lines
 * of three or more dashes part traces. Lines of a step after its first may all be indented by two spaces: written so,
 * text that looks like a heading is read back as text. White space around a step is not kept.
 */
export const plainText: Format = {
  name: NAME,
  summary: 'reasoning as text: "Step k", numbered lines or paragraphs',
  container: 'text',
  unit: 'record',
  detect: (sample) => (isText(sample) ? 0.6 : 0),
  read(record, at) {
    const text =
      typeof record === 'string' ? record : hasFields(record, 'text') ? anyText((record as { text: unknown }).text) : ''
    const pieces = text.replaceAll('\r\n', '\n').split(/^-{3,}[ \t]*$/m)
    return pieces.filter((piece) => piece.trim() !== '').map((piece, i) => readTrace(piece, i, at))
  },
  write: (traces) => traces.map((trace) => `${writeTrace(trace)}\n---`),
}

/** Text that is no stream of events, no table and not binary. */
const isText = (sample: Sample): boolean =>
  sample.container === 'text' &&
  !/\.(csv|tsv)(\.gz)?$/.test(sample.path) &&
  !looksLikeEvents(sample.head) &&
  /\p{L}{2}/u.test(sample.head) &&
  !sample.head.includes('\0')

const STEP = /^(?:#{1,6} *)?(?:\*\*)?step +(\d+)(?:\*\*)?(?: *[:.)\u2013-](?:\*\*)? *| *$)/i
const NUMBERED = /^(\d+)[.)] +/
const PROMPT = /^(?:problem|question|task|prompt) *: */i
const ANSWER = /^(?:final +)?answer *: */i

function readTrace(text: string, index: number, at: At): Trace {
  const lines = text.replace(/^\n+/, '').trimEnd().split('\n')
  const heading = lines.some((line) => STEP.test(line)) ? STEP : countsFromOne(lines) ? NUMBERED : undefined
  const { before, parts, answer } = heading ? byHeading(lines, heading) : byParagraph(lines)
  const prompt = before.replace(PROMPT, '').trim()
  const steps = parts.filter((part) => part !== '').map((part, i): Step => ({ text: part, kind: 'thought', origin: i }))
  const stated = answer ?? answerIn(steps.at(-1)?.text ?? '')
  if (answer !== undefined) steps.push({ text: answer, kind: 'answer', origin: steps.length })
  if (prompt === '') at.odd('no prompt', `trace ${index + 1}`)
  return {
    id: `${at.stem}-${at.line + index}`,
    problem: { id: contentHash(prompt).slice(0, 16), prompt },
    steps,
    ...(stated !== undefined && { answer: stated }),
    source: { generator: '', dataset: NAME, licence: 'unknown' },
  }
}

/** Lines 1., 2., ... in order: a list of steps rather than numbers in a text. */
function countsFromOne(lines: readonly string[]): boolean {
  const numbers = lines.flatMap((line) => NUMBERED.exec(line)?.[1] ?? []).map(Number)
  return numbers.length >= 2 && numbers.every((n, i) => n === i + 1)
}

interface Parted {
  before: string
  parts: string[]
  answer: string | undefined
}

function byHeading(lines: readonly string[], heading: RegExp): Parted {
  const before: string[] = []
  const parts: string[][] = []
  let answer: string[] | undefined
  for (const line of lines) {
    const found = heading.exec(line)
    if (answer === undefined && found) parts.push([line.slice(found[0].length)])
    else if (answer === undefined && parts.length > 0 && ANSWER.test(line)) answer = [line.replace(ANSWER, '')]
    else (answer ?? parts.at(-1) ?? before).push(line)
  }
  return { before: joinLines(before), parts: parts.map(joinLines), answer: answer && joinLines(answer) }
}

function byParagraph(lines: readonly string[]): Parted {
  const parts = lines
    .join('\n')
    .split(/\n(?:[ \t]*\n)+/)
    .map((p) => p.trim())
  const before = parts[0] !== undefined && PROMPT.test(parts[0]) ? (parts.shift() ?? '') : ''
  const last = parts.at(-1)
  if (last === undefined || !ANSWER.test(last)) return { before, parts, answer: undefined }
  return { before, parts: parts.slice(0, -1), answer: last.replace(ANSWER, '') }
}

/** The lines as one text, without an indent of two that all lines after the first have. */
function joinLines(lines: readonly string[]): string {
  const [first = '', ...rest] = lines
  const indented = rest.every((line) => line === '' || line.startsWith('  ')) && rest.some((line) => line !== '')
  const text = [first, ...rest.map((line) => (indented ? line.slice(2) : line))].join('\n')
  return indented ? text.replace(/\n+$/, '') : text.trim()
}

/** What the last step states as its result, in the ways that are common in mathematical data sets. */
function answerIn(text: string): string | undefined {
  const hash = /^#### *(.+)$/m.exec(text)?.[1]
  return hash?.trim() ?? boxed(text) ?? /\bthe (?:final )?answer is:? *(.+?)\.?$/im.exec(text)?.[1]?.trim()
}

/** The last `\boxed{...}`, braces balanced. */
function boxed(text: string): string | undefined {
  const start = text.lastIndexOf('\\boxed{')
  if (start === -1) return undefined
  let depth = 1
  const from = start + '\\boxed{'.length
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{') depth++
    else if (text[i] === '}' && --depth === 0) return text.slice(from, i)
  }
  return undefined
}

function writeTrace(trace: Trace): string {
  if (trace.steps.some((s) => s.action)) throw cannotHold(trace, NAME, 'tool calls', 'steps of text only')
  if (trace.steps.some((s) => s.text.trim() === ''))
    throw cannotHold(trace, NAME, 'a step without text', 'text in each step')
  const last = trace.steps.at(-1)
  const answer = last?.kind === 'answer' ? last : undefined
  const thoughts = answer ? trace.steps.slice(0, -1) : trace.steps
  const problem = trace.problem.prompt === '' ? '' : `Problem: ${indent(trace.problem.prompt)}\n\n`
  const steps = thoughts.map((step, i) => `Step ${i + 1}: ${indent(step.text)}\n`)
  return `${problem}${steps.join('\n')}${answer ? `\nAnswer: ${indent(answer.text)}\n` : ''}`
}

const indent = (text: string): string => text.split('\n').join('\n  ')
