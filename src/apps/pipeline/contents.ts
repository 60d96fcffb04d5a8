import type { Trace } from '../../core/words.ts'

/** What a file holds, counted. */
export interface Contents {
  steps: number
  labels: number
  /** Step labels by class: right, wrong, neutral, cannot say. */
  balance: Record<string, number>
  /** Traces by first error: with one, without, not said. */
  firstErrors: { wrong: number; clean: number; unlabelled: number }
  firstErrorPositions: number[]
  generators: Record<string, number>
}

export function emptyContents(): Contents {
  return {
    steps: 0,
    labels: 0,
    balance: {},
    firstErrors: { wrong: 0, clean: 0, unlabelled: 0 },
    firstErrorPositions: [],
    generators: {},
  }
}

export function addTrace(contents: Contents, trace: Trace): void {
  contents.steps += trace.steps.length
  let said = false
  for (const label of trace.labels ?? []) {
    contents.labels++
    if (label.meaning === 'first-error') {
      said = true
      if (label.value === null) continue
      contents.firstErrors[label.value >= 0 ? 'wrong' : 'clean']++
      if (label.value >= 0)
        contents.firstErrorPositions[label.value] = (contents.firstErrorPositions[label.value] ?? 0) + 1
    } else {
      const name =
        label.value === null
          ? (label.reason ?? 'no value')
          : label.meaning !== 'correctness'
            ? `${label.meaning} ${label.value >= 0.5 ? 'high' : 'low'}`
            : label.value >= 0.5
              ? 'right'
              : 'wrong'
      contents.balance[name] = (contents.balance[name] ?? 0) + 1
    }
  }
  if (!said) contents.firstErrors.unlabelled++
  const generator = trace.source.generator || '(not said)'
  contents.generators[generator] = (contents.generators[generator] ?? 0) + 1
}
