import { GradusError } from '../../core/errors.ts'
import { NO_USAGE, type Problem, type Usage } from '../../core/words.ts'
import { renderPrompt } from '../policies/embedded/lessons.ts'
import type { LoadedModel } from '../policies/embedded/load.ts'
import { type AlignedText, alignedText } from './aligned-text.ts'
import type { Line } from './reward.ts'

/** What of an embedded model decides how it reads a line. */
export type LineReader = Pick<LoadedModel, 'name' | 'config' | 'tokenizer'> & {
  card: Pick<LoadedModel['card'], 'tasks'>
}

/**
 * A line as the model reads it: the prompt with the mark of its task, then a step a line.
 * @throws GradusError GRD-WORLD-001, GRD-MODEL-001, GRD-MODEL-002, GRD-MODEL-005
 */
export function lineText(model: LineReader, { problem, steps }: Line): AlignedText {
  const aligned = alignedText(model.tokenizer, renderPrompt(markOf(model, problem), problem), steps)
  const tokens = model.tokenizer.encode(aligned.text).length
  // The start token takes one place.
  if (tokens + 1 > model.config.context) {
    throw new GradusError('GRD-MODEL-002', {
      found: `a text of ${tokens} tokens`,
      expected: `at most ${model.config.context - 1}`,
    })
  }
  return aligned
}

/** The same with its error as a value: one line does not stop the others. */
function readableText(model: LineReader, line: Line): AlignedText | GradusError {
  try {
    return lineText(model, line)
  } catch (error) {
    if (error instanceof GradusError) return error
    throw error
  }
}

/**
 * What is made of each line by a reader of texts, in the order of the lines: those that can be read are read together,
 * one that cannot says why.
 * @param read of the texts of readable lines, in their order
 */
export async function overReadable<R, T>(
  model: LineReader,
  lines: readonly Line[],
  read: (texts: readonly string[]) => Promise<readonly R[]>,
  of: (text: AlignedText, read: R) => T,
): Promise<(T | { ok: false; error: GradusError; usage: Usage })[]> {
  const texts = lines.map((line) => readableText(model, line))
  const done = (await read(texts.flatMap((text) => (text instanceof GradusError ? [] : [text.text])))).values()
  return texts.map((text) =>
    text instanceof GradusError ? { ok: false, error: text, usage: NO_USAGE } : of(text, done.next().value!),
  )
}

function markOf(model: LineReader, problem: Problem): string {
  const known = model.card.tasks.find(({ task }) => task === problem.domain)
  if (known) return known.mark
  throw new GradusError('GRD-WORLD-001', {
    where: { field: 'problem.domain' },
    found: problem.domain ?? 'nothing',
    expected: `a task that ${model.name} has learnt: ${model.card.tasks.map(({ task }) => task).join(', ')}`,
  })
}
