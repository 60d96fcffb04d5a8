import { z } from 'zod'
import type { GradusError } from '../../../core/errors.ts'
import { addUsage, NO_USAGE, type Usage } from '../../../core/words.ts'
import type { FittedHead } from '../../training/rows.ts'
import type { Weights } from '../../training/transformer/params.ts'
import type { Line } from '../reward.ts'

const PartSpec = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('embedded'),
    /** Name of the weights it started from, and the checksum of their file. */
    model: z.string(),
    sha256: z.string(),
    /** Blocks before the states that are read. */
    layer: z.number(),
    /** The token that closes each step. */
    separator: z.object({ text: z.string(), id: z.number() }),
    /** Hash of the tokenizer's alphabet. */
    tokenizer: z.string(),
    /** Hash of how problems and steps are written out. */
    renderer: z.string(),
    /** Were its weights trained with the head? Then they stand in the model's own file. */
    fineTuned: z.boolean(),
  }),
  z.object({
    kind: z.literal('likelihood'),
    /** Name of the weights it started from, and the checksum of their file; its own stand in the model's file. */
    model: z.string(),
    sha256: z.string(),
    separator: z.object({ text: z.string(), id: z.number() }),
    tokenizer: z.string(),
    renderer: z.string(),
  }),
  z.object({
    kind: z.literal('endpoint'),
    url: z.string(),
    model: z.string(),
    /** NAME of the environment variable with the key. */
    keyFrom: z.string().optional(),
    width: z.number(),
    renderer: z.string(),
  }),
  z.object({
    /** States of a model behind a server of the vLLM kind. */
    kind: z.literal('hidden'),
    url: z.string(),
    model: z.string(),
    keyFrom: z.string().optional(),
    width: z.number(),
    renderer: z.string(),
  }),
  z.object({
    kind: z.literal('features'),
    /** Names of the columns, in order. */
    columns: z.array(z.string()),
    /** Sources of tool evidence, each with columns of its own. */
    tools: z.array(z.string()),
  }),
])

/** What a body is, as a model's card keeps it: enough to open the same one again, or to see that it is another. */
export const BodySpec = z.union([
  PartSpec,
  z.object({
    kind: z.literal('joined'),
    /** Their columns stand side by side. */
    parts: z.array(PartSpec),
  }),
])
export type PartSpec = z.infer<typeof PartSpec>
export type BodySpec = z.infer<typeof BodySpec>

/** The numbers of one line: row-major `steps × width`; row t has seen nothing after step t. */
export type Featured =
  | { ok: true; features: Float32Array; usage: Usage }
  | { ok: false; error: GradusError; usage: Usage }

/** Turns the steps of a line into numbers that a head can score. */
export interface Body {
  spec: BodySpec
  /** Numbers a step. */
  width: number
  /** In the order of the lines; one that cannot be read says why and does not stop the others. */
  features(lines: readonly Line[], signal?: AbortSignal): Promise<Featured[]>
  /** Trains itself with a linear head, where it was asked to. Its lines are known to be readable. */
  tune?(fit: readonly Lesson[], held: readonly Lesson[], seed: string): Promise<{ body: Body; fitted: FittedHead }>
  /**
   * Learns to read steps without a head: one is then fitted on other questions, since what it has learnt from looks
   * better to it than what comes.
   */
  adapt?(lessons: readonly Lesson[], seed: string): Promise<Body>
  /** Weights of its own that a file must keep. */
  tensors?: Weights
  dispose?(): void
}

/** A line with what its steps should score. */
export interface Lesson {
  line: Line
  /** `target` in [0, 1]; steps without one are left out. */
  steps: readonly { step: number; target: number; weight: number }[]
  /** The target of the last step speaks for all steps: how the run ended. */
  whole?: boolean
}

/** Several bodies side by side, e.g. hidden states and what tools found; a line that one cannot read has no numbers. */
export function joinedBody(bodies: readonly Body[]): Body {
  const width = bodies.reduce((sum, body) => sum + body.width, 0)
  const tensors = bodies.flatMap((body, part) =>
    Object.entries(body.tensors ?? {}).map(([name, own]) => [`${part}.${name}`, own]),
  )
  return {
    spec: { kind: 'joined', parts: bodies.flatMap(({ spec }) => (spec.kind === 'joined' ? spec.parts : [spec])) },
    width,
    async features(lines, signal) {
      const each: Featured[][] = []
      for (const body of bodies) each.push(await body.features(lines, signal))
      return lines.map(({ steps }, line): Featured => {
        const features = new Float32Array(steps.length * width)
        let usage = NO_USAGE
        let from = 0
        for (const [i, body] of bodies.entries()) {
          const part = each[i]![line]!
          usage = addUsage(usage, part.usage)
          if (!part.ok) return { ...part, usage }
          for (let step = 0; step < steps.length; step++) {
            features.set(part.features.subarray(step * body.width, (step + 1) * body.width), step * width + from)
          }
          from += body.width
        }
        return { ok: true, features, usage }
      })
    },
    ...(bodies.some((body) => body.adapt) && {
      async adapt(lessons: readonly Lesson[], seed: string) {
        const adapted: Body[] = []
        for (const body of bodies) adapted.push((await body.adapt?.(lessons, seed)) ?? body)
        return joinedBody(adapted)
      },
    }),
    ...(tensors.length > 0 && { tensors: Object.fromEntries(tensors) }),
    dispose() {
      for (const body of bodies) body.dispose?.()
    },
  }
}
