import { z } from 'zod'
import { ends, outside, protectedStretches, starts } from './protected.ts'
import { cutAt, type Splitter } from './splitter.ts'

const options = z.object({})

/** One step a line; blank lines belong to the line before, lines of fenced code and display mathematics stay together. */
export const line: Splitter = {
  name: 'line',
  summary: 'one step a line; code blocks and display mathematics stay whole',
  options,
  split: (text) => cutAt(text, outside(ends(text, /\n+/g), protectedStretches(text, false))),
}

/** Steps are parted by blank lines, as ProcessBench and most reward models have it. */
export const paragraph: Splitter = {
  name: 'paragraph',
  summary: 'steps parted by blank lines; code blocks and display mathematics stay whole',
  options,
  split: (text) => cutAt(text, outside(ends(text, /\n[ \t]*\n\s*/g), protectedStretches(text, false))),
}

/** Full stops behind these end no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|cf|Fig|Figs|Eq|Eqs|No|Nos|approx|resp|al|Inc|Ltd|Jr|Sr|a\.m|p\.m|U\.S)\.\s*$/

/**
 * One step a sentence (Unicode rules of `Intl.Segmenter`), never inside mathematics or code and never behind an
 * abbreviation, an initial or the number of a list.
 */
export const sentence: Splitter = {
  name: 'sentence',
  summary: 'one step a sentence; mathematics and code are never cut',
  options,
  split: (text) => cutAt(text, sentenceEnds(text)),
}

function sentenceEnds(text: string): number[] {
  const segments = [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)]
  const boundaries = segments.flatMap((segment, i) => {
    const last = segments[i - 1]?.segment ?? ''
    const listNumber = /^\s*(?:\d+|[a-z])[.)]\s*$/.test(last)
    return i === 0 || listNumber || ABBREVIATION.test(last) ? [] : [segment.index]
  })
  return outside(boundaries, protectedStretches(text, true))
}

/**
 * Paragraphs of LaTeX text, long ones further at sentences: an environment, a display or inline formula is never cut,
 * and a display formula stays with the sentence that leads to it.
 */
export const latex: Splitter = {
  name: 'latex',
  summary: 'paragraphs, long ones at sentences; no formula or environment is cut',
  options,
  split(text) {
    const paragraphs = cutAt(text, outside(ends(text, /\n[ \t]*\n\s*|\\\\par\b\s*/g), protectedStretches(text, true)))
    return paragraphs.flatMap((p) => (p.length > LONG_PARAGRAPH ? cutAt(p, sentenceEnds(p)) : [p]))
  },
}

/** Characters above which a paragraph holds more than one step: the median step of ProcessBench has about 200. */
const LONG_PARAGRAPH = 600

const HEADING = /^[ \t]*(?:#{1,6}[ \t]*)?(?:\*\*)?(?:step|Step|STEP)[ \t]+(\d+)\b/gm
const NUMBER = /^[ \t]*(?:\*\*)?(\d+)[.)](?=[\s*])/gm

/**
 * One step for each numbered heading: `Step 1:`, `**Step 2**`, `### Step 3`, else `1.` or `1)` at the start of lines
 * that count up by one. What stands before the first is a step of its own. Without any number the text is one step.
 */
export const numbered: Splitter = {
  name: 'numbered',
  summary: '"Step 1:" headings, else lines numbered 1. 2. 3.',
  options,
  split(text) {
    const code = protectedStretches(text, false)
    const headings = outside(starts(text, HEADING), code)
    return cutAt(text, headings.length > 0 ? headings : outside(countingUp(text), code))
  },
}

/** Starts of numbered lines that go on counting from 1; other numbers at a line's start are text. */
function countingUp(text: string): number[] {
  const out: number[] = []
  let next = 1
  for (const m of text.matchAll(NUMBER)) {
    if (Number(m[1]) !== next) continue
    out.push(m.index)
    next++
  }
  return out.length >= 2 ? out : []
}

const TURN =
  /^[ \t]*(?:\*\*)?(?:user|human|assistant|system|tool|thought|action(?: input)?|act|observation|obs|plan|final answer|finish)(?:[ \t]+\d+)?(?:\*\*)?[ \t]*:|<(?:tool_call|tool_response|think|answer|search|information)>/gim

/** One step a message or tool call: `Thought:`, `Action 2:`, `User:` at a line's start, or tags such as `<tool_call>`. */
export const message: Splitter = {
  name: 'message',
  summary: 'one step a turn or tool call: "Thought:", "Action 2:", "User:", tool-call tags',
  options,
  split: (text) => cutAt(text, outside(starts(text, TURN), protectedStretches(text, false))),
}

/** The boundaries that the source has. */
export const existing: Splitter = {
  name: 'existing',
  summary: 'the boundaries that the source has',
  options,
  split: (text) => (text === '' ? [] : [text]),
}
