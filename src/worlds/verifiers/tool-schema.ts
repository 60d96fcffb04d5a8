import type { Ajv, ErrorObject, ValidateFunction } from 'ajv'
import { z } from 'zod'
import { LIMITS } from '../../core/limits.ts'
import type { Step, Trace } from '../../core/words.ts'
import { type Finding, UNKNOWN, type Verifier } from './verifier.ts'

/**
 * Checks each tool call against the tools that the problem offers: the tool exists, the arguments are a JSON object,
 * nothing required is missing, nothing undeclared is given, and every value fits its JSON Schema (draft 7).
 *
 * An argument that the schema does not declare is wrong unless `additionalProperties` allows it: tools that are
 * functions refuse it. `pattern` is not checked, since a hostile expression can take for ever. Whether the call is the
 * right one to make is not asked.
 */
export const toolSchema: Verifier = {
  name: 'tool-schema',
  summary: 'checks tool calls against the JSON Schemas of the offered tools',
  covers: 'names and arguments of tool calls where the problem lists its tools; not whether the call is a good idea',
  options: z.object({}),
  runsCode: false,
  reliability: {
    incorrect: 0.99,
    correct: 0.5,
    scope: 'claims',
    measured: 'BFCL v4, tune half: 859 gold calls and 4,293 changed ones; correct is a guess',
  },
  applies: (trace) => offered(trace).length > 0 && trace.steps.some((step) => step.action !== undefined),
  async verify(trace) {
    const tools = offered(trace)
    ajv ??= loadAjv()
    const compiler = await ajv
    return trace.steps.map((step) => {
      if (!step.action) return UNKNOWN('no tool call in this step')
      if (tools.length === 0) return UNKNOWN('the problem does not list its tools')
      return judge(step.action, tools, compiler)
    })
  },
}

interface Tool {
  name: string
  parameters?: unknown
}

type Validator = ValidateFunction | { unreadable: string }

function offered(trace: Trace): Tool[] {
  return (trace.problem.context ?? []).flatMap((c) => (c.kind === 'tools' ? c.tools : []))
}

function judge(action: NonNullable<Step['action']>, tools: readonly Tool[], compiler: Ajv): Finding {
  const tool = tools.find((t) => t.name === action.tool)
  if (!tool) {
    const known = tools.slice(0, SHOWN_TOOLS).map((t) => t.name)
    const more = tools.length > known.length ? `, and ${tools.length - known.length} more` : ''
    return wrong(`there is no tool ${action.tool}`, { offered: [...known, ...(more ? [more] : [])] })
  }
  const input = parsed(action.input)
  if (input === undefined) return wrong(`the arguments of ${tool.name} are not JSON`)
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return wrong(`the arguments of ${tool.name} are not a JSON object`)
  }
  if (tool.parameters === undefined || tool.parameters === null) return UNKNOWN(`${tool.name} has no schema`)
  const validator = validatorOf(tool.parameters, compiler)
  if ('unreadable' in validator) return UNKNOWN(`the schema of ${tool.name} cannot be read: ${validator.unreadable}`)
  if (validator(input)) return { verdict: 'correct', reason: `the call fits the schema of ${tool.name}` }
  const errors = (validator.errors ?? []).map(explained)
  return wrong(`the call of ${tool.name} does not fit its schema: ${errors[0] ?? 'no reason given'}`, { errors })
}

const SHOWN_TOOLS = 20

function wrong(reason: string, detail?: Record<string, unknown>): Finding {
  return { verdict: 'incorrect', reason, ...(detail && { detail }) }
}

/** Text is read as JSON, as APIs send it; no text at all is a call without arguments. undefined = not JSON. */
function parsed(input: unknown): unknown {
  if (input === null || input === undefined) return {}
  if (typeof input !== 'string') return input
  if (input.trim() === '') return {}
  try {
    return JSON.parse(input)
  } catch {
    return undefined
  }
}

/** Loaded with the first tool call, since that takes a tenth of the time to start. */
let ajv: Promise<Ajv> | undefined

async function loadAjv(): Promise<Ajv> {
  const [{ Ajv }, { default: addFormats }] = await Promise.all([import('ajv'), import('ajv-formats')])
  const compiler = new Ajv({ strict: false, allErrors: true, validateSchema: false, logger: false })
  return addFormats.default(compiler)
}

/** Compiling costs a millisecond or two, and traces of one set share their tools. */
const compiled = new WeakMap<object, Validator>()

function validatorOf(parameters: unknown, compiler: Ajv): Validator {
  if (typeof parameters !== 'object' || parameters === null) return { unreadable: 'not an object' }
  const known = compiled.get(parameters) ?? compile(parameters, compiler)
  compiled.set(parameters, known)
  return known
}

function compile(parameters: object, compiler: Ajv): Validator {
  try {
    const schema = readSchema(parameters, 0)
    if (typeof schema !== 'object' || schema === null) return { unreadable: 'not an object' }
    const whole = 'patternProperties' in parameters ? schema : closed(schema)
    const validator = compiler.compile(whole)
    // Its own cache holds schemas for ever.
    compiler.removeSchema(whole)
    return validator
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * Names of types that are not JSON Schema's own: Python's and JavaScript's in BFCL, upper case in Gemini declarations.
 * null = any value.
 */
const TYPE_NAMES: Record<string, string | null> = {
  dict: 'object',
  hashmap: 'object',
  float: 'number',
  double: 'number',
  long: 'integer',
  int: 'integer',
  bigint: 'integer',
  bool: 'boolean',
  str: 'string',
  char: 'string',
  tuple: 'array',
  list: 'array',
  arraylist: 'array',
  any: null,
}

/** Keywords whose value is data, not schema. */
const DATA_KEYWORDS = new Set(['enum', 'const', 'default', 'example', 'examples', 'required', 'description', 'title'])
/** Keywords whose value is a map from free names to schemas. */
const MAP_KEYWORDS = new Set(['properties', '$defs', 'definitions', 'dependentSchemas'])

/** The schema with types in JSON Schema's words and without patterns and references to its own dialect. */
function readSchema(schema: unknown, depth: number): unknown {
  if (depth > LIMITS.jsonDepth) throw new Error(`nesting deeper than ${LIMITS.jsonDepth}`)
  if (Array.isArray(schema)) return schema.map((item) => readSchema(item, depth + 1))
  if (typeof schema !== 'object' || schema === null) return schema
  const out: [string, unknown][] = []
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'pattern' || key === 'patternProperties' || key === '$schema' || key === '$id') continue
    if (key === 'required' && !Array.isArray(value)) continue
    if (key === 'type') {
      const type = typeName(value)
      if (type !== null) out.push([key, type])
    } else if (DATA_KEYWORDS.has(key)) out.push([key, value])
    else if (MAP_KEYWORDS.has(key) && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      out.push([key, Object.fromEntries(Object.entries(value).map(([k, v]) => [k, readSchema(v, depth + 1)]))])
    } else out.push([key, readSchema(value, depth + 1)])
  }
  return Object.fromEntries(out)
}

function typeName(value: unknown): unknown {
  if (Array.isArray(value)) {
    const names = value.map(typeName)
    return names.includes(null) ? null : names
  }
  if (typeof value !== 'string') return value
  const name = value.toLowerCase()
  return Object.hasOwn(TYPE_NAMES, name) ? TYPE_NAMES[name] : name
}

/** A function refuses arguments that it does not declare. */
function closed(schema: object): object {
  return 'additionalProperties' in schema || !('properties' in schema)
    ? schema
    : { ...schema, additionalProperties: false }
}

/** `base must be integer`, with the path where it is deeper. */
function explained(error: ErrorObject): string {
  const place = error.instancePath.slice(1).replaceAll('/', '.') || 'the arguments'
  if (error.keyword === 'required') return `${place} lack ${String(error.params['missingProperty'])}`
  if (error.keyword === 'additionalProperties') return `${String(error.params['additionalProperty'])} is not declared`
  if (error.keyword === 'enum') return `${place} must be one of ${JSON.stringify(error.params['allowedValues'])}`
  return `${place} ${error.message ?? error.keyword}`
}
