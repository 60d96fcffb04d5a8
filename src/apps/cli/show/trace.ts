import type { Evidence, Trace } from '../../../core/words.ts'
import { saying, spoken } from '../../in-words.ts'
import type { Terminal } from '../verb.ts'
import { oneLine, paint, sparkline, wrapped } from './style.ts'

/**
 * A trace around its first wrong step, with the evidence for it; ends with an empty line.
 * @param before steps shown before the wrong one
 */
export function showTrace(trace: Trace, terminal: Pick<Terminal, 'colour' | 'columns'>, before = 1): string {
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
  for (let step = Math.max(0, first - before); first >= 0 && step <= first; step++) {
    const mark = step === first ? paint(terminal, 'red', '▸') : ' '
    lines.push(`  ${mark} ${String(step + 1).padStart(4)}  ${oneLine(spoken(trace.steps[step]), width - 10)}`)
  }
  for (const e of evidenceAt(trace, first)) {
    const head = `          ${paint(terminal, 'cyan', e.source.replace(/^verifier:/, '').padEnd(EVIDENCE_NAME))} `
    wrapped(saying(e), width - EVIDENCE_NAME - 11, EVIDENCE_LINES).forEach((line, i) => {
      lines.push(`${i === 0 ? head : ' '.repeat(EVIDENCE_NAME + 11)}${line}`)
    })
  }
  return `${lines.join('\n')}\n\n`
}

/** Columns of the name of an evidence's source; the longest verifier's name fits. */
const EVIDENCE_NAME = 23
/** Evidence is what a person came for: it is wrapped, not cut, up to this many lines. */
const EVIDENCE_LINES = 3

/** What speaks against the step. */
function evidenceAt(trace: Trace, step: number): Evidence[] {
  return (trace.evidence ?? []).filter(
    (e) => e.step === step && (e.kind === 'tool' || e.kind === 'judgement') && e.verdict === 'incorrect',
  )
}
