/** How a policy marks its steps; reading traces of others is `io/steps`. */
export interface StepFormat {
  name: string
  summary: string
  /** Texts at which a model stops after one step. */
  stop: readonly string[]
  /** Steps of a text, trimmed, none empty. */
  split(text: string): string[]
  /** The text of steps so far, ready for the next one: `split` of it gives the steps back. */
  join(steps: readonly string[]): string
}

const separated = (name: string, summary: string, separator: string, pattern: RegExp): StepFormat => ({
  name,
  summary,
  stop: [separator],
  split: (text) =>
    text
      .split(pattern)
      .map((step) => step.trim())
      .filter((step) => step !== ''),
  join: (steps) => steps.map((step) => step + separator).join(''),
})

/** One step a line. */
export const lines = separated('lines', 'one step a line', '\n', /\n+/)

/** Steps with an empty line between them, as chat models write them when asked to. */
export const paragraphs = separated('paragraphs', 'an empty line between steps', '\n\n', /\n[ \t]*\n\s*/)

export const STEP_FORMATS: readonly StepFormat[] = [lines, paragraphs]
