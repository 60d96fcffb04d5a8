import type { CallToolResult, StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { explain, GradusError } from '../../core/errors.ts'
import { redact } from '../../core/redact.ts'
import type { AnnotateContext } from '../../label/annotators/annotator.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'
import type { corePacer } from '../pipeline/label.ts'

/** What the server was started with; every call looks at it, none changes it. */
export interface Services {
  /** Folder below which clients may name files, as `rootFolder` gives it; null = none. */
  root: string | null
  /** Annotators of a call that names none; those that `gradus label` would take where not given. */
  annotators?: readonly string[]
  /** Names of the reward models that may be asked, and the models. */
  rewards: readonly string[]
  openRewards?: NonNullable<AnnotateContext['rewards']>
  /** Who scores steps; the tool is not offered without. */
  scorer?: RewardModel
  /** Are texts sent to another machine? */
  sends: boolean
  allowCode: boolean
  allowLocalExec: boolean
  seed: string
  /** Code of traces of all calls together runs on as many cores as there are. */
  pace: ReturnType<typeof corePacer>
}

export interface Call {
  services: Services
  /** Fires when the client gives the call up. */
  signal: AbortSignal
}

/** One tool of the server. Name, descriptions and schemas are what a client shows to its model. */
export interface Tool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  name: string
  title: string
  description: string
  input: I
  output: O
  /** Does it ask models that see the given texts? */
  asksModels: boolean
  /** @returns the answer for programs, and the same in short for a reader */
  run(args: z.output<I>, call: Call): Promise<{ data: z.output<O>; text: string }> | { data: z.output<O>; text: string }
}

/** Keeps the types of schemas and run together. */
export function tool<I extends z.ZodObject, O extends z.ZodObject>(t: Tool<I, O>): Tool<I, O> {
  return t
}

/** Any JSON object; said so that clients with a narrow dialect of schemas understand it. */
export const AnyObject = z.looseObject({}).meta({ additionalProperties: true })

/** What stands in the place of an answer where a call failed. */
const Failure = z.object({
  error: z.object({
    code: z.string().describe('stable code of docs/errors.md'),
    title: z.string(),
    where: z
      .object({ file: z.string().optional(), line: z.number().optional(), field: z.string().optional() })
      .optional(),
    found: z.string().optional(),
    expected: z.string().optional(),
    try: z.array(z.string()).optional().describe('what helps, best first'),
  }),
})

/** The answer or a failure: clients hold the content of failed calls against the schema too. */
export function answerSchema(output: z.ZodObject) {
  return z.union([output, Failure])
}

/** The schema of the input as it is published, without its check: `callTool` makes it, with an error like any other. */
export function published(input: z.ZodObject): StandardSchemaWithJSON {
  return { '~standard': { ...input['~standard'], validate: (value) => ({ value }) } }
}

/**
 * Calls a tool; never throws. Secrets are taken out of every text, since answers go to a model: tools take them out of what
 * runs say (`shortened`), and of whatever else an answer holds the known ones are taken out here. Long words of nobody known
 * stay then: ids of runs look like them.
 * @param args as the client sent them
 * @param unforeseen told of what is no GradusError
 */
export async function callTool(
  t: Tool,
  args: unknown,
  call: Call,
  unforeseen: (error: unknown) => void,
): Promise<CallToolResult> {
  try {
    const { data, text } = await t.run(checked(t, args), call)
    return { content: [{ type: 'text', text: cleaned(text) as string }], structuredContent: withoutSecrets(data) }
  } catch (error) {
    // Giving a call up is no failure, and nobody waits for the answer.
    if (!(error instanceof GradusError) && !call.signal.aborted) unforeseen(error)
    const known = withoutSecretsFound(error instanceof GradusError ? error : asGradusError(error))
    return {
      isError: true,
      content: [{ type: 'text', text: cleaned(explain(known)) as string }],
      structuredContent: withoutSecrets({ error: known.toJSON() }),
    }
  }
}

/** What an error has found may be a piece of a run. */
function withoutSecretsFound(error: GradusError): GradusError {
  const { code, title: _, found, ...rest } = error.toJSON()
  return new GradusError(code, { ...rest, ...(found !== undefined && { found: redact(found).text }) })
}

/** @throws GradusError GRD-SERVE-001 that names the argument */
function checked({ input }: Tool, args: unknown): z.output<z.ZodObject> {
  const read = input.safeParse(args)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const field = issue?.path.map(String).join('.') ?? ''
  throw new GradusError('GRD-SERVE-001', {
    ...(field !== '' && { where: { field } }),
    found: issue?.message ?? 'other arguments',
    expected: field === '' ? `arguments among ${Object.keys(input.shape).join(', ')}` : 'a value that fits the schema',
  })
}

/** Deep values end the stack before they end the memory. */
function asGradusError(error: unknown): GradusError {
  const found = error instanceof Error ? error.message : String(error)
  if (error instanceof RangeError) return new GradusError('GRD-IO-010', { found, cause: error })
  return new GradusError('GRD-CORE-002', { found, try: ['report it, with what the server wrote to standard error'] })
}

function withoutSecrets(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, cleaned(value)]))
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return redact(value, ['random-word']).text
  if (Array.isArray(value)) return value.map(cleaned)
  return typeof value === 'object' && value !== null ? withoutSecrets(value as Record<string, unknown>) : value
}

/** What is looked at for secrets beyond the end of a text that is cut, characters: a key block is not longer. */
const BEYOND = 20_000

/** At most so many characters of a text of a trace, one line, without secrets: half of one would no longer be seen. */
export function shortened(text: string, characters: number): string {
  const clean = redact(text.slice(0, characters + BEYOND))
    .text.replace(/\s+/g, ' ')
    .trim()
  const letters = [...clean.slice(0, 2 * characters)]
  return letters.length > characters || clean.length > 2 * characters
    ? `${letters.slice(0, characters - 1).join('')}…`
    : clean
}

const ID_CHARACTERS = 200

/** The id of a run on one line, as it is: a client gives it back. A longer one is cut; its position names the run too. */
export function shownId(id: string): string {
  const line = id.replace(/\s+/g, ' ')
  return line.length > ID_CHARACTERS ? `${line.slice(0, ID_CHARACTERS - 1)}…` : line
}
