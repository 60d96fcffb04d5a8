import { type Random, random } from '../src/core/seeds.ts'
import type { Label, Step, Trace } from '../src/core/words.ts'
import { verdictFromRisks } from '../src/label/verdict.ts'

const GENERATORS = ['small-7b', 'large-70b', 'reasoner-32b', 'agent-a', 'agent-b']
const TASKS = ['algebra', 'chains', 'code', 'geometry', 'word-problems', 'planning', 'tables']
/** Distinct made-up words; how often each occurs falls as 1 / rank, as in real text. */
const VOCABULARY = 40_000
/** Attempts at one question. */
const ATTEMPTS = 8

/**
 * Labelled traces that look like real ones to an index: words by Zipf's law and numbers, `steps` steps on average,
 * several attempts at a question, risks, a verdict, evidence of two sources, gold labels on one in four.
 */
export function* syntheticTraces(count: number, steps = 10, seed = 'bench'): Generator<Trace> {
  const draw = random(`synthetic/${seed}`)
  let prompt = ''
  for (let i = 0; i < count; i++) {
    if (i % ATTEMPTS === 0) prompt = `Question ${i / ATTEMPTS}: ${sentence(draw, 30)}`
    yield trace(i, prompt, Math.max(1, Math.round(steps * (0.5 + draw.next()))), draw)
  }
}

function trace(i: number, prompt: string, n: number, draw: Random): Trace {
  const risk = Array.from({ length: n }, () => (draw.below(8) === 0 ? null : draw.next() ** 3))
  const steps = Array.from({ length: n }, (): Step => ({ text: sentence(draw, 16), kind: 'thought' }))
  const verdict = verdictFromRisks(risk, 'tool-reliability')
  const gold: Label[] =
    draw.below(4) === 0 ? [{ meaning: 'first-error', value: draw.below(n + 1) - 1, source: 'imported:bench' }] : []
  return {
    id: `bench-${i}`,
    problem: { id: `q${Math.floor(i / ATTEMPTS)}`, prompt, answer: String(draw.below(1000)), domain: draw.pick(TASKS) },
    steps,
    answer: String(draw.below(1000)),
    outcome: draw.below(2),
    evidence: steps.flatMap((_, step) =>
      draw.below(3) > 0
        ? []
        : [{ kind: 'tool', source: 'verifier:arithmetic', step, verdict: 'incorrect', reason: sentence(draw, 8) }],
    ),
    labels: [...gold, { meaning: 'first-error', value: verdict.firstError, source: 'tool-reliability' }],
    verdict,
    source: { generator: draw.pick(GENERATORS), dataset: 'bench', licence: 'CC0-1.0' },
  }
}

function sentence(draw: Random, words: number): string {
  return Array.from({ length: words }, () => (draw.below(6) === 0 ? String(draw.below(500)) : word(draw))).join(' ')
}

/** Rank r with a chance in proportion to 1 / r, spelled in syllables. */
function word(draw: Random): string {
  let rank = Math.floor(VOCABULARY ** draw.next())
  let text = ''
  do {
    text += SYLLABLES[rank % SYLLABLES.length]
    rank = Math.floor(rank / SYLLABLES.length)
  } while (rank > 0)
  return text
}

const SYLLABLES = ['ba', 'ce', 'di', 'fo', 'gu', 'ha', 'je', 'ki', 'lo', 'mu', 'na', 'pe', 'ri', 'so', 'tu', 'va']
