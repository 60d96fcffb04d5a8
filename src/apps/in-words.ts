import type { Evidence, Step } from '../core/words.ts'

/** What a step says as one text: a call with what came back, else its text. */
export function spoken(step: Step | undefined): string {
  if (step === undefined) return ''
  const said = step.action
    ? `${step.text === '' ? '' : `${step.text} `}${step.action.tool}(${compact(step.action.input)})${step.observation === undefined ? '' : ` → ${step.observation}`}`
    : step.text
  return step.agent === undefined ? said : `${step.agent}: ${said}`
}

/** What a piece of evidence says. */
export function saying(e: Evidence): string {
  switch (e.kind) {
    case 'tool':
    case 'judgement':
    case 'alignment':
      return e.reason
    case 'rollouts':
      return `${e.successes} of ${e.trials} rollouts succeed`
    case 'value':
      return `value ${e.value.toFixed(2)} over ${e.visits} looks`
    case 'likelihood':
      return 'the reference is not more probable after it'
    case 'score':
      return e.value === null ? 'cannot say' : `${e.meaning} ${e.value.toFixed(2)}`
    case 'human':
      return e.note ?? String(e.verdict)
    case 'imported':
      return e.reason ?? JSON.stringify(e.raw)
  }
}

function compact(input: unknown): string {
  return typeof input === 'string' ? input : (JSON.stringify(input) ?? '')
}
