import { z } from 'zod'
import { type ErrorCode, GradusError } from '../../core/errors.ts'
import { LIMITS } from '../../core/limits.ts'
import { STEP_KINDS, type Step, type Trace } from '../../core/words.ts'
import { unwrapJson } from '../../io/formats/loose.ts'
import { openTraces, type TraceFile, tracesInText, untilDamaged } from '../../io/read.ts'
import { fileUnder } from './files.ts'
import { AnyObject, type Services, shownId } from './tool.ts'

const GivenStep = z.strictObject({
  text: z.string().default(''),
  kind: z.enum(STEP_KINDS).optional().describe('action where a tool is named, else thought'),
  tool: z.string().optional().describe('name of the tool that this step calls'),
  input: z.union([AnyObject, z.string()]).optional().describe('arguments of the call'),
  observation: z.string().optional().describe('what came back from the call'),
})

/** The arguments by which every tool takes one run. */
export const TRACE_ARGUMENTS = {
  path: z
    .string()
    .optional()
    .describe('file with the run, relative to the folder of the server; any format that list_methods calls a format'),
  id: z
    .union([z.string(), z.number().int().min(0)])
    .optional()
    .describe('id of the run, or its position from 0, where the file or text holds several'),
  trace: z
    .union([z.string(), AnyObject, z.array(AnyObject)])
    .optional()
    .describe('instead of path: the run itself, as text or JSON in any of these formats, or {problem, steps}'),
  format: z.string().optional().describe('format of path or trace, where it is not recognised'),
  problem: z.string().optional().describe('instead of path and trace: the question or task, with steps'),
  steps: z
    .array(z.union([z.string(), GivenStep]))
    .min(1)
    .max(LIMITS.stepsPerTrace)
    .optional()
    .describe('the steps taken so far, in order: texts, or calls of tools'),
  tools: z
    .array(
      z.strictObject({
        name: z.string(),
        description: z.string().optional(),
        parameters: AnyObject.optional().describe('JSON Schema of its arguments'),
      }),
    )
    .optional()
    .describe('beside steps: the tools that are offered, so that calls can be checked against them'),
} as const
const Arguments = z.object(TRACE_ARGUMENTS)
/** The plain form as one value. */
const Plain = z.strictObject({
  problem: z.string(),
  steps: TRACE_ARGUMENTS.steps.unwrap(),
  tools: TRACE_ARGUMENTS.tools,
})
type TraceArguments = z.output<typeof Arguments>

/** Ids that an error names where one has to be chosen. */
const SHOWN_IDS = 20

/**
 * The run that a call is about.
 * @throws GradusError GRD-SERVE-001 where it is not said which, GRD-SERVE-005 where there is none of that id, GRD-IO-*
 */
export async function givenTrace(
  given: TraceArguments,
  { root }: Pick<Services, 'root'>,
  signal?: AbortSignal,
): Promise<Trace> {
  const { path, trace, steps, id, format } = given
  const said = Object.entries({ path, trace, steps }).filter(([, value]) => value !== undefined)
  if (said.length !== 1) {
    throw new GradusError('GRD-SERVE-001', {
      found: said.length === 0 ? 'no run' : said.map(([name]) => name).join(' and '),
      expected: 'one of path, trace, and problem with steps',
    })
  }
  if (steps !== undefined) return traceOfSteps(given, steps)
  const options = format === undefined ? {} : { format }
  try {
    if (path !== undefined) return await chosen(await openTraces(await fileUnder(root, path), options), id, signal)
    const plain = Plain.safeParse(unwrapJson(trace))
    if (plain.success) return traceOfSteps(plain.data, plain.data.steps)
    const text = typeof trace === 'string' ? trace : JSON.stringify(trace)
    return await chosen(await tracesInText(text, 'trace', options), id, signal)
  } catch (error) {
    if (!(error instanceof GradusError) || !UNKNOWN_FORMAT.has(error.code)) throw error
    const { code, where, found, expected } = error.toJSON()
    throw new GradusError(code, {
      ...(where && { where }),
      ...(found !== undefined && { found }),
      ...(expected !== undefined && { expected }),
      try: ['format, with the name of the right one', 'problem and steps instead'],
    })
  }
}

/** What the command line mends by an option that is an argument here. */
const UNKNOWN_FORMAT = new Set<ErrorCode>(['GRD-IO-004', 'GRD-IO-012'])

/** The run of that id or position, or the only one. */
async function chosen(
  { report, batches }: TraceFile,
  id: string | number | undefined,
  signal: AbortSignal | undefined,
): Promise<Trace> {
  const first: Trace[] = []
  let position = 0
  for await (const batch of untilDamaged(batches, report, false)) {
    signal?.throwIfAborted()
    const found = typeof id === 'number' ? batch[id - position] : batch.find((trace) => trace.id === id)
    if (found) return found
    position += batch.length
    first.push(...batch.slice(0, SHOWN_IDS + 1 - first.length))
    if (id === undefined && first.length > SHOWN_IDS) break
  }
  const [only] = first
  if (only === undefined) {
    throw report.rejected[0] ?? new GradusError('GRD-IO-009', { where: { file: report.file }, found: 'no run' })
  }
  if (id === undefined && first.length === 1) return only
  const ids = first.slice(0, SHOWN_IDS).map((trace) => shownId(trace.id))
  throw new GradusError(id === undefined ? 'GRD-SERVE-001' : 'GRD-SERVE-005', {
    where: { file: report.file, field: 'id' },
    found: id === undefined ? 'several runs, and no id' : `no run ${shownId(String(id))}`,
    expected: `the id of one, or its position from 0: ${ids.join(', ')}${first.length > SHOWN_IDS ? ', and more' : ''}`,
    try: ['inspect_traces says what a file holds'],
  })
}

function traceOfSteps(
  { problem, tools }: Pick<TraceArguments, 'problem' | 'tools'>,
  steps: NonNullable<TraceArguments['steps']>,
): Trace {
  if (problem === undefined) {
    throw new GradusError('GRD-SERVE-001', {
      where: { field: 'problem' },
      found: 'steps alone',
      expected: 'the problem that they are about',
    })
  }
  return {
    id: 'given',
    problem: { id: 'given', prompt: problem, ...(tools && { context: [{ kind: 'tools', tools: tools.map(asTool) }] }) },
    steps: steps.map(asStep),
    source: { generator: '', dataset: '', licence: 'unknown' },
  }
}

function asTool({ name, description, parameters }: NonNullable<TraceArguments['tools']>[number]) {
  return { name, ...(description !== undefined && { description }), ...(parameters && { parameters }) }
}

function asStep(given: NonNullable<TraceArguments['steps']>[number]): Step {
  if (typeof given === 'string') return { text: given, kind: 'thought' }
  const { text, kind, tool, input, observation } = given
  return {
    text,
    kind: kind ?? (tool === undefined ? 'thought' : 'action'),
    ...(tool !== undefined && { action: { tool, input } }),
    ...(observation !== undefined && { observation }),
  }
}
