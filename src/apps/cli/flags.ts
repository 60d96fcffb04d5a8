import { Command, Option } from 'commander'
import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { anyText } from '../../core/unknown.ts'
import type { Verb } from './verb.ts'

/** Short forms that hold for every verb that has the option. */
const SHORT: Record<string, string> = { output: '-o', jobs: '-j', with: '-w', format: '-f', samples: '-n' }

/** The command of a verb: one flag for each member of its options, described by the schema. */
export function commandOf(v: Verb): Command {
  const command = new Command(`gradus ${v.name}`).description(v.summary).exitOverride().allowExcessArguments(true)
  if (v.arguments !== '') command.argument(v.arguments)
  for (const [name, field] of Object.entries(v.options.shape)) {
    command.addOption(optionOf(name, field as z.ZodType))
    if (canBeOff(inner(field as z.ZodType)))
      command.addOption(new Option(`--no-${kebab(name)}`, `without --${kebab(name)}`))
  }
  if (v.examples.length > 0) {
    command.addHelpText('after', `\nExamples:\n${v.examples.map((e) => `  ${e}`).join('\n')}`)
  }
  return command
}

/**
 * Values as the schema wants them: numbers from text, lists from commas.
 * @throws GradusError GRD-CLI-002 that names the option
 */
export function parseOptions<O extends z.ZodObject>(v: Verb<O>, given: Record<string, unknown>): z.output<O> {
  const values: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(v.options.shape)) {
    const value = given[name]
    if (value !== undefined) values[name] = fromText(value, inner(field as z.ZodType))
  }
  const result = v.options.safeParse(values)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const name = String(issue?.path[0] ?? '')
  throw new GradusError('GRD-CLI-002', {
    where: { field: `--${kebab(name)}` },
    found: anyText(given[name] ?? 'nothing'),
    expected: expectation(issue?.message),
    try: [`gradus ${v.name} --help`],
  })
}

/** Zod's `Invalid input: expected number, received string` and `Too small: expected number to be >=0`, in our words. */
function expectation(message: string | undefined): string {
  return message?.replace(/^[^:]+: expected /, '').replace(/, received .*$/, '') ?? 'another value'
}

function optionOf(name: string, field: z.ZodType): Option {
  const type = inner(field)
  const flag = `--${kebab(name)}`
  const short = SHORT[name] === undefined ? '' : `${SHORT[name]}, `
  const fallback = defaultOf(field)
  const described = `${field.description ?? ''}${fallback === undefined || typeof fallback === 'boolean' ? '' : ` (default ${fallback})`}`
  if (type instanceof z.ZodBoolean) {
    return new Option(fallback === true ? `--no-${kebab(name)}` : `${short}${flag}`, described)
  }
  const placeholder = type instanceof z.ZodNumber ? '<n>' : type instanceof z.ZodArray ? '<a,b>' : '<value>'
  const option = new Option(`${short}${flag} ${placeholder}`, described)
  if (type instanceof z.ZodEnum) option.choices(type.options.map(String))
  return option
}

/** Text or `false`: `--cache FILE` beside `--no-cache`. */
function canBeOff(type: z.ZodType): boolean {
  return type instanceof z.ZodUnion && type.options.some((o) => o instanceof z.ZodLiteral && o.value === false)
}

function inner(field: z.ZodType): z.ZodType {
  let type = field
  while (type instanceof z.ZodDefault || type instanceof z.ZodOptional) type = type.unwrap() as z.ZodType
  return type
}

function defaultOf(field: z.ZodType): string | boolean | undefined {
  const seen = field.safeParse(undefined)
  if (!seen.success || seen.data === undefined) return undefined
  return typeof seen.data === 'boolean' ? seen.data : Array.isArray(seen.data) ? seen.data.join(',') : String(seen.data)
}

function fromText(value: unknown, type: z.ZodType): unknown {
  if (typeof value !== 'string') return value
  if (type instanceof z.ZodNumber) return value.trim() === '' ? Number.NaN : Number(value)
  if (type instanceof z.ZodArray) return value.split(',').map((v) => fromText(v.trim(), type.element as z.ZodType))
  return value
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
}
