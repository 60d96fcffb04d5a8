import type { Evidence, Trace } from '../../../core/words.ts'
import type { Terminal } from '../verb.ts'
import { oneLine, paint, sparkline } from './style.ts'

/** A trace around its first wrong step, with the evidence for it; ends with an empty line. */
export function showTrace(trace: Trace, terminal: Pick<Terminal, 'colour' | 'columns'>): string {
  const verdict = trace.verdict
  const first = verdict?.firstError ?? -1
  const n = trace.steps.length
  const width = Math.max(40, Math.min(terminal.columns, 120))
  const title =
    first >= 0
      ? `first wrong step ${first + 1} of ${n}`
      : first === -1 && verdict?.firstError === -1
        ? `${n} steps, no wrong one`
        : `${n} steps, cannot say`
  const strip = verdict && n <= 60 ? `risk ${sparkline(verdict.risk)}` : ''
  const name = oneLine(trace.id, 34)
  const lines = [`  ${paint(terminal, 'bold', name.padEnd(28))} ${title.padEnd(30)} ${strip}`.trimEnd()]
  for (let step = Math.max(0, first - 1); first >= 0 && step <= first; step++) {
    const mark = step === first ? paint(terminal, 'red', '▸') : ' '
    const text = trace.steps[step]
    const spoken =
      text === undefined ? '' : text.action ? `${text.action.tool}(${compact(text.action.input)})` : text.text
    lines.push(`  ${mark} ${String(step + 1).padStart(4)}  ${oneLine(spoken, width - 10)}`)
  }
  for (const e of evidenceAt(trace, first)) {
    lines.push(
      `          ${paint(terminal, 'cyan', e.source.replace(/^verifier:/, '').padEnd(18))} ${oneLine(saying(e), width - 30)}`,
    )
  }
  return `${lines.join('\n')}\n\n`
}

/** What speaks against the step. */
function evidenceAt(trace: Trace, step: number): Evidence[] {
  return (trace.evidence ?? []).filter(
    (e) => e.step === step && (e.kind === 'tool' || e.kind === 'judgement') && e.verdict === 'incorrect',
  )
}

function saying(e: Evidence): string {
  switch (e.kind) {
    case 'tool':
    case 'judgement':
    case 'alignment':
      return e.reason
    case 'rollouts':
      return `${e.successes} of ${e.trials} rollouts succeed`
    case 'human':
      return e.note ?? String(e.verdict)
    case 'imported':
      return e.reason ?? JSON.stringify(e.raw)
  }
}

function compact(input: unknown): string {
  return typeof input === 'string' ? input : (JSON.stringify(input) ?? '')
}
