import { createHash } from 'node:crypto'

/** Thresholds and models are chosen on `tune`, figures come from `report`. */
export type Half = 'tune' | 'report'

/**
 * What makes two traces the same question: lower-case text with everything but [a-z0-9] removed, the raw text where
 * nothing is left. All solutions and perturbations of a question fall on one side.
 */
export function questionKey(question: string): string {
  const key = question.toLowerCase().replace(/[^a-z0-9]/g, '')
  return /[a-z]/.test(key) ? key : question
}

/** The question of a problem: what the split and every bootstrap group by. */
export function questionOf(problem: { prompt: string; question?: string | undefined }): string {
  return problem.question ?? problem.prompt
}

/** Even hash = tune, odd = report (SHA-256 of the question key, first byte). The only split in Gradus. */
export function half(question: string): Half {
  const digest = createHash('sha256').update(questionKey(question)).digest()
  return digest[0]! % 2 === 0 ? 'tune' : 'report'
}

/**
 * Number of the question's part in [0, parts), for held-out parts within one side of the split (SHA-256 of the question
 * key, second to fifth byte, so that it says nothing of the half).
 */
export function part(question: string, parts: number): number {
  const digest = createHash('sha256').update(questionKey(question)).digest()
  return digest.readUInt32BE(1) % parts
}
