import type { z } from 'zod'
import { GradusError } from '../../core/errors.ts'

/** A method with options as the command line writes it: `omegaprm:k=16,searches=4`. */
export interface Spec {
  name: string
  given: Record<string, string>
}

/** Pieces of a list option that was cut at commas: `a:x=1`, `y=2`, `b` are two methods. */
export function parseSpecs(pieces: readonly string[]): Spec[] {
  const specs: Spec[] = []
  for (const piece of pieces) {
    const last = specs.at(-1)
    if (last && Object.keys(last.given).length > 0 && isAssignment(piece)) assign(last, piece)
    else {
      const at = optionsAt(piece)
      const spec: Spec = { name: at < 0 ? piece : piece.slice(0, at), given: {} }
      if (at >= 0) for (const one of piece.slice(at + 1).split(',')) assign(spec, one)
      specs.push(spec)
    }
  }
  return specs
}

export function parseSpec(text: string): Spec {
  return parseSpecs(text.split(','))[0] ?? { name: text, given: {} }
}

/**
 * Options of a method from text: numbers and booleans where the schema wants them.
 * @throws GradusError GRD-CLI-002 that names the option
 */
export function specOptions(spec: Spec, schema: z.ZodObject): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(spec.given)) {
    const key = name.replace(/-[a-z]/g, (m) => m.slice(1).toUpperCase())
    if (!(key in schema.shape)) {
      throw new GradusError('GRD-CLI-002', {
        where: { field: `${spec.name}:${name}` },
        found: name,
        expected: `one of ${Object.keys(schema.shape).join(', ') || 'no options'}`,
        try: [`gradus methods ${spec.name}`],
      })
    }
    values[key] = text === 'true' ? true : text === 'false' ? false : fromText(text)
  }
  const read = schema.safeParse(values)
  if (read.success) return read.data
  const issue = read.error.issues[0]
  throw new GradusError('GRD-CLI-002', {
    where: { field: `${spec.name}:${String(issue?.path[0] ?? '')}` },
    found: Object.entries(spec.given)
      .map(([k, v]) => `${k}=${v}`)
      .join(','),
    expected: issue?.message ?? 'other options',
    try: [`gradus methods ${spec.name}`],
  })
}

const isAssignment = (text: string): boolean => /^[\w-]+=/.test(text)

/** The colon before the first `key=`; names such as `verifier:arithmetic` have one of their own. */
function optionsAt(text: string): number {
  return /:(?=[\w-]+=)/.exec(text)?.index ?? -1
}

function assign(spec: Spec, text: string): void {
  const at = text.indexOf('=')
  spec.given[text.slice(0, at < 0 ? text.length : at)] = at < 0 ? 'true' : text.slice(at + 1)
}

function fromText(text: string): unknown {
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}
