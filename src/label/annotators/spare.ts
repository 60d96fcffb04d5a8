import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { type Evidence, NO_USAGE, type Problem } from '../../core/words.ts'
import { align } from '../alignment.ts'
import type { Annotator } from './annotator.ts'

const Options = z.object({
  fallback: z.boolean().default(false).describe('a calculator decides unaligned steps where it can'),
})

/**
 * SPARE with an aligner that is code: every step in one pass against one or more reference solutions, with a reason.
 *
 * One piece of evidence a step. An unaligned step is `unknown`, also when nothing else of the trace aligns.
 * @param referencesOf solutions of a problem, each a list of steps; none = the annotator does not apply
 * @see papers/spare.md
 */
export function spareWith(referencesOf: (problem: Problem) => readonly (readonly string[])[]): Annotator {
  return {
    name: 'spare',
    summary: 'aligns steps with the calculations of reference solutions, in one pass',
    paper: 'spare',
    options: Options,
    needs: ['reference'],
    rule: 'alignment',
    runsCode: false,
    applies: (trace) => trace.steps.length > 0 && referencesOf(trace.problem).some((steps) => steps.length > 0),
    refuses: ({ problem }) => (referencesOf(problem).some((steps) => steps.length > 0) ? null : withoutReference()),
    async annotate(trace, _context, options): Promise<Evidence[]> {
      const references = referencesOf(trace.problem).filter((steps) => steps.length > 0)
      if (references.length === 0) throw withoutReference()
      const texts = trace.steps.map((step) => step.text)
      const aligned = align(trace.problem.prompt, references, texts, Options.parse(options ?? {}))
      return aligned.map(
        (one, step): Evidence => ({ kind: 'alignment', source: 'spare', step, ...one, usage: NO_USAGE }),
      )
    },
  }
}

function withoutReference(): GradusError {
  return new GradusError('GRD-LABEL-004', {
    found: 'no reference solution',
    expected: 'a problem with `solution`, a list of reference steps',
    try: ['--with omegaprm --policy task   (labels by rollouts need no reference)'],
  })
}

/** SPARE against the problem's own solution. */
export const spare: Annotator = spareWith((problem) => (problem.solution ? [problem.solution] : []))
