import type { Trace } from '../../core/words.ts'
import { type Html, html, raw } from './html.ts'

/** Steps shown before the first wrong one; the others are folded. */
const BEFORE = 3
/** Characters of a step in the report; the traces themselves are in the labelled file. */
const STEP_CHARS = 2_000

/** One trace: its steps, the first wrong one marked with the evidence for it. */
export function traceHtml(trace: Trace): Html {
  const verdict = trace.verdict
  const first = verdict?.firstError ?? null
  const title =
    first === null
      ? 'cannot say'
      : first === -1
        ? 'no wrong step'
        : `first wrong step ${first + 1} of ${trace.steps.length}`
  const from = first === null || first < 0 ? 0 : Math.max(0, first - BEFORE)
  const shown = first === null || first < 0 ? Math.min(trace.steps.length, BEFORE) : first + 1
  const steps = trace.steps.map((_, step) => stepHtml(trace, step, step === first))
  return html`<article class="trace"><header><code>${trace.id}</code><span class="soft">${title}</span>${strip(verdict?.risk ?? [])}</header>
${fold(`${counted(from)} before`, steps.slice(0, from))}<ol>${steps.slice(from, shown)}</ol>${fold(`${counted(steps.length - shown)} after`, steps.slice(shown))}</article>`
}

const counted = (n: number): string => `${n} ${n === 1 ? 'step' : 'steps'}`

function fold(summary: string, steps: readonly Html[]): Html {
  return steps.length === 0 ? raw('') : html`<details><summary>${summary}</summary><ol>${steps}</ol></details>`
}

function stepHtml(trace: Trace, index: number, wrong: boolean): Html {
  const step = trace.steps[index]
  const call = step?.action
    ? `${step.action.tool}(${typeof step.action.input === 'string' ? step.action.input : JSON.stringify(step.action.input)})`
    : ''
  const said = [step?.text ?? '', call, step?.observation === undefined ? '' : `→ ${step.observation}`]
    .filter((t) => t !== '')
    .join('\n')
  const against = (trace.evidence ?? []).flatMap((e) =>
    e.step === index && (e.kind === 'tool' || e.kind === 'judgement') && e.verdict === 'incorrect' ? [e] : [],
  )
  return html`<li class="${wrong ? 'wrong' : ''}"><span>${index + 1}</span><div><pre>${cut(said)}</pre>${against.map((e) => html`<p class="evidence"><b>${e.source.replace(/^verifier:/, '')}</b> ${e.reason}</p>`)}</div></li>`
}

function cut(said: string): string {
  return said.length > STEP_CHARS
    ? `${said.slice(0, STEP_CHARS)} … (${said.length - STEP_CHARS} more characters)`
    : said
}

/** One cell a step; the title says the number, so that colour is not alone. */
function strip(risk: readonly (number | null)[]): Html {
  const cell = (r: number | null, i: number): Html => {
    const title = `step ${i + 1}: ${r === null ? 'cannot say' : `risk ${r.toFixed(2)}`}`
    const colour =
      r === null ? '' : `background: color-mix(in oklab, var(--wrong) ${Math.round(r * 100)}%, var(--right))`
    return html`<i title="${title}" style="${colour}"></i>`
  }
  return html`<span class="strip">${risk.slice(0, 80).map(cell)}</span>`
}
