import type { Evidence, Step, Trace } from '../../../core/words.ts'
import { NO_USAGE } from '../../../core/words.ts'
import { lookedAt, toolsAtHand } from '../tools-at-hand.ts'
import type { Body, Featured } from './body.ts'

/**
 * What is known of a step without a network. Every column looks at the step and at those before it, never at the
 * length of the whole: a step must score alike in a finished line and in a search.
 */
export const STEP_COLUMNS = {
  position: 'number of the step, from 1',
  'log-length': 'log(1 + characters of the step)',
  'log-length-so-far': 'log(1 + characters up to the step)',
  numbers: 'numbers in the step',
  equation: 'does it hold an equals sign?',
  action: 'does it act (call a tool)?',
  observation: "is it the environment's?",
  repeated: 'is it, letter by letter, a step that was there before?',
  'has-logprobs': 'do its tokens carry log-probabilities? The next five are 0 where not',
  'logprob-mean': 'mean log-probability of its tokens',
  'logprob-min': 'lowest log-probability of its tokens',
  'logprob-sum': 'log-probability of the step',
  'logprob-mean-so-far': 'mean log-probability of all tokens up to the step',
  'logprob-min-so-far': 'lowest log-probability up to the step',
  'tools-correct': 'tools that found it right',
  'tools-incorrect': 'tools that found it wrong',
  'tools-incorrect-so-far': 'such findings up to the step',
  judged: 'judges with a verdict on it; the next two are 0 where none',
  'judge-mean':
    'mean P(right) of the judges, by their decision log-probability where they give one; 0 = certain of wrong',
  'judge-min-so-far': 'lowest such mean up to the step; 1 where there is none',
} as const satisfies Record<string, string>

/** Two columns for each tool: what this very tool found. */
const TOOL_COLUMNS = ['correct', 'incorrect'] as const

/**
 * Plain step features. Tools are those with evidence in the traces to learn from; a line that comes without evidence
 * (in a search) is looked at by those of them that run here and run no code.
 */
export function stepFeatures(traces: readonly Pick<Trace, 'evidence'>[]): Body {
  const sources = traces.flatMap(({ evidence = [] }) => evidence.flatMap((e) => (e.kind === 'tool' ? [e.source] : [])))
  return stepFeaturesOf([...new Set(sources)].sort())
}

/** The same from the tools' sources, as a card keeps them. */
export function stepFeaturesOf(tools: readonly string[]): Body {
  const columns = [...Object.keys(STEP_COLUMNS), ...tools.flatMap((tool) => TOOL_COLUMNS.map((c) => `${tool}:${c}`))]
  const atHand = toolsAtHand(tools)
  return {
    spec: { kind: 'features', columns, tools: [...tools] },
    width: columns.length,
    features: (lines) =>
      Promise.all(
        lines.map(async (line): Promise<Featured> => {
          const evidence = [...(line.evidence ?? []), ...(await lookedAt(line, atHand))]
          const rows = rowsOf(line.steps, evidence, tools)
          return { ok: true, features: Float32Array.from(rows.flat()), usage: NO_USAGE }
        }),
      ),
  }
}

function rowsOf(steps: readonly Step[], evidence: readonly Evidence[], tools: readonly string[]): number[][] {
  const before = new Set<string>()
  const sofar = { chars: 0, tokens: 0, logprob: 0, lowest: 0, wrong: 0, judge: 1 }
  return steps.map((step, at) => {
    const own = evidence.filter((e) => e.step === at)
    const logprobs = step.tokens?.logprobs ?? []
    const sum = logprobs.reduce((a, b) => a + b, 0)
    const lowest = logprobs.reduce((a, b) => Math.min(a, b), 0)
    const judges = own.flatMap((e) => (e.kind === 'judgement' ? judgeOf(e) : []))
    const judge = judges.reduce((a, b) => a + b, 0) / Math.max(1, judges.length)
    const found = (verdict: 'correct' | 'incorrect', source?: string): number =>
      own.filter((e) => e.kind === 'tool' && e.verdict === verdict && (source === undefined || e.source === source))
        .length
    sofar.chars += step.text.length
    sofar.tokens += logprobs.length
    sofar.logprob += sum
    sofar.lowest = Math.min(sofar.lowest, lowest)
    sofar.wrong += found('incorrect')
    if (judges.length > 0) sofar.judge = Math.min(sofar.judge, judge)
    const columns: Record<keyof typeof STEP_COLUMNS, number> = {
      position: at + 1,
      'log-length': Math.log1p(step.text.length),
      'log-length-so-far': Math.log1p(sofar.chars),
      numbers: step.text.match(/\d+(?:\.\d+)?/g)?.length ?? 0,
      equation: Number(step.text.includes('=')),
      action: Number(step.action !== undefined || step.kind === 'action'),
      observation: Number(step.kind === 'observation'),
      repeated: Number(before.has(step.text)),
      'has-logprobs': Number(logprobs.length > 0),
      'logprob-mean': logprobs.length > 0 ? sum / logprobs.length : 0,
      'logprob-min': lowest,
      'logprob-sum': sum,
      'logprob-mean-so-far': sofar.tokens > 0 ? sofar.logprob / sofar.tokens : 0,
      'logprob-min-so-far': sofar.lowest,
      'tools-correct': found('correct'),
      'tools-incorrect': found('incorrect'),
      'tools-incorrect-so-far': sofar.wrong,
      judged: judges.length,
      'judge-mean': judge,
      'judge-min-so-far': sofar.judge,
    }
    before.add(step.text)
    return [...Object.values(columns), ...tools.flatMap((tool) => TOOL_COLUMNS.map((verdict) => found(verdict, tool)))]
  })
}

/** P(right) of a judgement that says something. */
function judgeOf({ verdict, logprob }: Extract<Evidence, { kind: 'judgement' }>): number[] {
  if (verdict !== 'correct' && verdict !== 'incorrect') return []
  const sure = logprob === undefined ? 1 : Math.exp(logprob)
  return [verdict === 'correct' ? sure : 1 - sure]
}
