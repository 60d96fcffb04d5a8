import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { addUsage, NO_USAGE, type Problem, type Step, type Usage } from '../../core/words.ts'
import type { Message } from '../endpoints/endpoint.ts'
import { promptOf } from '../policies/renderer.ts'
import type { Asked } from './judge.ts'
import { Fence, textOf } from './judge-prompt.ts'
import { lastObject } from './verdicts.ts'

export interface PairVerdict {
  /** Number of the better solution; null = the judge cannot say, or what it says depends on the order. */
  better: 0 | 1 | null
  /** What it said when the first solution was shown first, and when it was shown second; null = unreadable or no choice. */
  said: [0 | 1 | null, 0 | 1 | null]
  /** Why there is no winner. */
  reason?: 'order' | 'unreadable' | 'tie'
  usage: Usage
}

/** One answer; the reason is a sentence. */
const ANSWER_TOKENS = 1_024

/**
 * Which of two solutions is better, asked in both orders: a judge that prefers a place and not a solution has no vote.
 * @throws GradusError of a call that failed
 */
export async function judgePair(
  asked: Asked,
  problem: Problem,
  pair: readonly [readonly Step[], readonly Step[]],
  { seed = '0', signal }: { seed?: string; signal?: AbortSignal } = {},
): Promise<PairVerdict> {
  const one = async (first: 0 | 1): Promise<{ said: 0 | 1 | 'tie' | null; usage: Usage }> => {
    const second = first === 0 ? 1 : 0
    const { messages, key } = pairPrompt(problem, [pair[first], pair[second]], seed)
    const request = { api: 'chat', messages, maxTokens: ANSWER_TOKENS } as const
    const [outcome] = await asked.engine.sample(asked.sampler, request, { ...(signal && { signal }) })
    if (!outcome?.ok) throw outcome?.error ?? new GradusError('GRD-CALL-008')
    const better = readBetter(outcome.value.text, key)
    const said = better === 'first' ? first : better === 'second' ? second : better
    return { said, usage: outcome.usage }
  }
  const [forth, back] = await Promise.all([one(0), one(1)])
  const usage = addUsage(addUsage(NO_USAGE, forth.usage), back.usage)
  const choice = (said: 0 | 1 | 'tie' | null): 0 | 1 | null => (said === 'tie' ? null : said)
  const said: PairVerdict['said'] = [choice(forth.said), choice(back.said)]
  if (said[0] !== null && said[0] === said[1]) return { better: said[0], said, usage }
  const reason = forth.said === null || back.said === null ? 'unreadable' : forth.said === back.said ? 'tie' : 'order'
  return { better: null, said, reason, usage }
}

function pairPrompt(problem: Problem, shown: readonly [readonly Step[], readonly Step[]], seed: string) {
  const asked = promptOf(problem)
  const texts = shown.map((steps) => steps.map(textOf).join('\n\n'))
  const fence = new Fence(seed, [asked, ...texts])
  const system = [
    'You compare two solutions of a problem.',
    fence.rule,
    'Say which is better: right where the other is wrong, or free of errors in its steps. Order and length count nothing.',
    'You may think first. End with one JSON object:',
    `{"key": "${fence.key}", "reason": "one sentence", "better": "first"}   (or "second", or "tie")`,
  ].join('\n')
  const blocks = [
    fence.problem(asked),
    ...texts.map((text, i) => fence.block(i === 0 ? 'first' : 'second', text, PAIR_CHARS)),
  ]
  const messages: Message[] = [
    { role: 'system', content: system },
    { role: 'user', content: `${blocks.join('\n')}\nWhich one is better?` },
  ]
  return { messages, key: fence.key }
}

/** Text of one solution that is shown, characters. */
const PAIR_CHARS = 40_000

function readBetter(answer: string, key: string): 'first' | 'second' | 'tie' | null {
  const Answer = z.object({ key: z.literal(key), better: z.enum(['first', 'second', 'tie']) })
  return lastObject(answer, (value) => Answer.safeParse(value).data)?.value.better ?? null
}
