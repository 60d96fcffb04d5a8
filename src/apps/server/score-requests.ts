import { z } from '@hono/zod-openapi'
import { GradusError } from '../../core/errors.ts'
import type { Splitter } from '../../io/steps/splitter.ts'
import type { Line } from '../../models/rewards/reward.ts'

/** Solutions of one request; a training step sends some hundreds. */
const MOST = 4_096

const texts = z.array(z.string()).min(1).max(MOST)
const one = z.union([z.string(), texts])

/** OpenRLHF's remote reward model: whole texts, and since 0.6 the prompts that they begin with. */
export const RewardBody = z
  .looseObject({
    query: one.openapi({ description: 'prompt and response together' }),
    prompts: one.nullish().openapi({ description: 'what each query begins with' }),
  })
  .openapi('GetReward')

/** vLLM's score API: a problem, and one or many solutions of it; or as many problems as solutions. */
export const ScoreBody = z
  .looseObject({
    model: z.string().nullish(),
    text_1: one.openapi({ description: 'problem or problems' }),
    text_2: one.openapi({ description: 'solution or solutions' }),
  })
  .openapi('Score')

const Message = z.looseObject({ role: z.string(), content: z.string() })

/** vLLM's pooling API: a chat of problem and solution, or texts that hold both. */
export const PoolingBody = z
  .looseObject({
    model: z.string().nullish(),
    messages: z.array(Message).min(1).nullish(),
    input: one.nullish(),
  })
  .openapi('Pooling')

/** Our own form, which needs no guess where a prompt or a step ends. */
export const LinesBody = z
  .looseObject({
    lines: z
      .array(z.object({ prompt: z.string(), steps: z.array(z.string()).optional(), response: z.string().optional() }))
      .min(1)
      .max(MOST),
  })
  .openapi('Lines')

/** How texts of a training framework become problems and steps. */
export interface Reading {
  splitter: Splitter
  /** Text after which the response begins, where a request does not give the prompts. */
  promptEnd?: string
  /** Built-in task of the problems, for reward models that have learnt some only. */
  domain?: string
}

/** Marks behind steps that clients of public process reward models write. */
const MARK = /<extra_0>/

/** A problem and the steps of a response: by marks where it has some, else by the splitter. */
async function lineOf(prompt: string, response: string, reading: Reading): Promise<Line> {
  const pieces = MARK.test(response) ? response.split(MARK) : await reading.splitter.split(response)
  const steps = pieces.map((piece) => piece.trim()).filter((piece) => piece !== '')
  return stepsLine(prompt, steps, reading)
}

function stepsLine(prompt: string, steps: readonly string[], { domain }: Reading): Line {
  const problem = { id: 'request', prompt, ...(domain !== undefined && { domain }) }
  return { problem, steps: steps.map((text) => ({ text, kind: 'thought' })) }
}

/** @throws GradusError GRD-SERVE-001 where prompt and response cannot be told apart */
export async function linesOfQueries(body: z.output<typeof RewardBody>, reading: Reading): Promise<Line[]> {
  const queries = [body.query].flat()
  const prompts = body.prompts === undefined || body.prompts === null ? null : [body.prompts].flat()
  if (prompts && prompts.length !== queries.length) {
    throw unreadable('prompts', `${prompts.length} prompts for ${queries.length} queries`, 'as many')
  }
  return await Promise.all(
    queries.map((query, i) => {
      const prompt = prompts?.[i]
      // Tokenizers may lose the blanks at a border, so the prompt is looked for without them.
      const known = prompt?.trim() ?? ''
      const at = known === '' ? -1 : query.indexOf(known)
      if (prompt !== undefined && at >= 0) return lineOf(known, query.slice(at + known.length), reading)
      return cutQuery(query, i, reading)
    }),
  )
}

function cutQuery(query: string, index: number, reading: Reading): Promise<Line> {
  const { promptEnd } = reading
  const at = promptEnd === undefined ? -1 : query.lastIndexOf(promptEnd)
  if (promptEnd === undefined || at < 0) {
    throw unreadable(
      `query.${index}`,
      promptEnd === undefined ? 'no prompts' : `a query without ${JSON.stringify(promptEnd)} and no prompts`,
      'prompts beside the queries, or a server that knows where a prompt ends',
      ['gradus serve --prompt-end "<|im_start|>assistant\\n"'],
    )
  }
  return lineOf(query.slice(0, at), query.slice(at + promptEnd.length), reading)
}

export async function linesOfPairs(body: z.output<typeof ScoreBody>, reading: Reading): Promise<Line[]> {
  const [problems, solutions] = [[body.text_1].flat(), [body.text_2].flat()]
  if (problems.length !== 1 && problems.length !== solutions.length) {
    throw unreadable('text_1', `${problems.length} for ${solutions.length} in text_2`, 'one, or as many')
  }
  return await Promise.all(
    solutions.map((s, i) => lineOf(problems.length === 1 ? problems[0]! : problems[i]!, s, reading)),
  )
}

export async function linesOfPooling(body: z.output<typeof PoolingBody>, reading: Reading): Promise<Line[]> {
  const { messages, input } = body
  if (messages) {
    const of = (role: string): string[] => messages.flatMap((m) => (m.role === role ? [m.content] : []))
    return [await lineOf(of('user').join('\n\n'), of('assistant').join('\n\n'), reading)]
  }
  if (input === undefined || input === null) throw unreadable('input', 'neither messages nor input', 'one of them')
  return await linesOfQueries({ query: input }, reading)
}

export async function linesOfLines(body: z.output<typeof LinesBody>, reading: Reading): Promise<Line[]> {
  return await Promise.all(
    body.lines.map(({ prompt, steps, response }, i) => {
      if (steps) return stepsLine(prompt, steps, reading)
      if (response !== undefined) return lineOf(prompt, response, reading)
      throw unreadable(`lines.${i}`, 'neither steps nor response', 'one of them')
    }),
  )
}

function unreadable(field: string, found: string, expected: string, hints: readonly string[] = []): GradusError {
  return new GradusError('GRD-SERVE-001', { where: { field }, found, expected, try: hints })
}
