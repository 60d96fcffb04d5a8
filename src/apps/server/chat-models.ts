import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import type { Problem, Usage } from '../../core/words.ts'
import type { StepWriter } from '../../engine/rollout.ts'
import { answersOf, searchContext } from '../../improve/search/context.ts'
import { SEARCHES } from '../../improve/search/index.ts'
import { type Search, type Solution, solveWith } from '../../improve/search/search.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import { chosenOf } from '../pipeline/chosen.ts'
import { parseSpec, specOptions } from '../pipeline/spec.ts'

export interface ChatCall {
  messages: readonly { role: string; content: string }[]
  seed?: string
  signal: AbortSignal
}

export interface ChatAnswer {
  /** The answer in the pieces that a stream sends. */
  pieces: string[]
  usage: Usage
  /** What the search did, beside the answer: candidates with their scores, flags, cost. */
  gradus: unknown
}

/** Answers one chat. @throws GradusError GRD-SEARCH-*, GRD-CALL-*; RangeError where too many are under way */
export type ChatModel = (call: ChatCall) => Promise<ChatAnswer>

export interface ChatModels {
  /** As the list of models shows them. */
  names: string[]
  /** null = no such model here. */
  open(name: string): ChatModel | null
}

export interface SearchSettings {
  policy: StepWriter
  /** Without one, searches that need scores are not offered. */
  reward?: RewardModel
  /** Between steps of an answer. */
  joiner?: string
  /** Task of the problems, for answers of built-in tasks. */
  domain?: string
  /** Tokens of policy and reward model for one chat. */
  tokens?: number
  /** Chats that are answered at once; more are refused. */
  most?: number
}

/** A search has some dozens of candidates under way, and an endpoint takes some thousands. */
const MOST = 64

const PREFIX = 'gradus/'

/**
 * Chats whose answers are chosen by search: `gradus/best-of-16`, `gradus/step-beam:k=8,beam=2`, `gradus/majority-of-8`.
 *
 * The problem is what the user said last, with the turns before it as they were; the answer is the text of the candidate
 * that the search chose. Where no candidate states an answer that can be told (a letter, a poem), it is the one with the
 * highest score, else the first, so that a chat always gets one.
 */
export function searchModels(settings: SearchSettings): ChatModels {
  const { most = MOST } = settings
  let running = 0
  const bounded = async (found: Bound, call: ChatCall): Promise<ChatAnswer> => {
    if (running >= most) throw new RangeError(`${running} chats are being answered`)
    running++
    try {
      return await answer(found, call, settings)
    } finally {
      running--
    }
  }
  const offered = SEARCHES.filter(
    ({ needs }) => !needs.includes('veto') && (settings.reward || !needs.includes('reward')),
  )
  return {
    names: offered.map(({ name }) => PREFIX + name),
    open(name) {
      if (!name.startsWith(PREFIX)) return null
      const found = searchNamed(name.slice(PREFIX.length), offered)
      return found && ((call) => bounded(found, call))
    },
  }
}

interface Bound {
  search: Search
  options: unknown
}

/** `best-of-16` is `best-of-n:n=16`; a number may follow the name of any search that has `n`: `majority-of-8`. */
function searchNamed(text: string, offered: readonly Search[]): Bound | null {
  const spec = parseSpec(text)
  const exact = offered.find(({ name }) => name === spec.name)
  if (exact) return { search: exact, options: specOptions(spec, exact.options) }
  const [, base = '', n = ''] = /^(.+?)-(?:of-)?(\d+)$/.exec(text) ?? []
  const search = offered.find(
    ({ name, options }) => 'n' in options.shape && (name === base || name === `${base}-of-n` || name === `${base}-n`),
  )
  return search ? { search, options: specOptions({ name: search.name, given: { n } }, search.options) } : null
}

async function answer({ search, options }: Bound, call: ChatCall, settings: SearchSettings): Promise<ChatAnswer> {
  const { policy, reward, joiner = '\n\n', domain, tokens } = settings
  const prompt = promptOf(call.messages)
  // Policies in this process draw by the problem's id.
  const id = `chat-${contentHash([prompt, call.seed ?? null]).slice(0, 16)}`
  const problem: Problem = { id, prompt, ...(domain !== undefined && { domain }) }
  const context = searchContext({
    problem,
    policy,
    ...answersOf(problem),
    ...(reward && { reward }),
    ...(tokens !== undefined && { budget: { tokens } }),
    ...(call.seed !== undefined && { seed: call.seed }),
    signal: call.signal,
  })
  const solution = await solveWith(search, context, options)
  const number = chosenOf(solution)
  const chosen = solution.candidates[number]
  if (!chosen) {
    throw new GradusError('GRD-CALL-008', {
      found: 'no candidate with a text',
      try: ['more samples', 'another policy'],
    })
  }
  const pieces = chosen.trace.steps.map((step, i) => (i === 0 ? step.text : joiner + step.text))
  return { pieces, usage: solution.usage, gradus: report(search, solution, number) }
}

function report(search: Search, solution: Solution, chosen: number): unknown {
  const { candidates, usage, flags, outOfBudget } = solution
  return {
    search: search.name,
    chosen,
    candidates: candidates.map(({ trace, score, scores }) => ({ answer: trace.answer ?? null, score, scores })),
    usage,
    flags,
    outOfBudget,
  }
}

/** One turn as it is; several with who said them. */
function promptOf(messages: ChatCall['messages']): string {
  const said = messages.filter(({ content }) => content !== '')
  const last = said.at(-1)
  if (!last) throw new GradusError('GRD-SERVE-001', { where: { field: 'messages' }, found: 'nothing said' })
  if (said.length === 1) return last.content
  return said.map(({ role, content }) => `${role}: ${content}`).join('\n\n')
}
