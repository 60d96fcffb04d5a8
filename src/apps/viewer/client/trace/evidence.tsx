import type { Evidence, Problem } from '../../../../core/words.ts'
import { valueColour } from '../parts/colour.ts'
import { counted, share } from '../parts/words.ts'
import { Code, Plain, Rich } from '../text/rich.tsx'
import { type Finding, sign } from './findings.ts'

interface Props {
  findings: readonly Finding[]
  /** What was said of the trace as a whole: a label without evidence of its own often stands on it. */
  whole: readonly Finding[]
  problem: Problem
}

/** Everything that sources saw of one step. */
export function EvidencePanel({ findings, whole, problem }: Props) {
  return (
    <dl class="evidence">
      {findings.map((f) => (
        <div key={f.source} class={`is-${f.mark}`}>
          <dt>
            <span class="sign" aria-hidden="true">
              {sign(f.mark)}
            </span>
            <b>
              <Plain text={f.source} />
            </b>{' '}
            <Plain text={f.word} />
          </dt>
          {f.evidence.map((e, i) => (
            <dd key={i}>
              <EvidenceView evidence={e} problem={problem} />
            </dd>
          ))}
          {f.evidence.length === 0 && (
            <Elsewhere
              whole={whole.find((w) => w.source === f.source)}
              alone={findings.length === 1}
              problem={problem}
            />
          )}
        </div>
      ))}
    </dl>
  )
}

/** Where a label without evidence of its own comes from. */
function Elsewhere({ whole, alone, problem }: { whole: Finding | undefined; alone: boolean; problem: Problem }) {
  if (whole === undefined) {
    return (
      <dd class="soft">
        {alone ? 'a label; its evidence is not in this file' : 'a label made of what other sources saw'}
      </dd>
    )
  }
  return (
    <>
      <dd class="soft">
        said of the whole trace: <Plain text={whole.word} />
      </dd>
      {whole.evidence.map((e, i) => (
        <dd key={i}>
          <EvidenceView evidence={e} problem={problem} />
        </dd>
      ))}
    </>
  )
}

function EvidenceView({ evidence: e, problem }: { evidence: Evidence; problem: Problem }) {
  switch (e.kind) {
    case 'rollouts':
      return (
        <>
          <p>
            <Share of={e.successes} among={e.trials} /> {e.successes} of {counted(e.trials, 'run')} from here succeeded
          </p>
          {e.completions !== undefined && e.completions.length > 0 && (
            <details>
              <summary>{counted(e.completions.length, 'completion')}</summary>
              <ol class="completions">
                {e.completions.map((text, i) => (
                  <li key={i}>
                    <Rich text={cut(text)} />
                  </li>
                ))}
              </ol>
            </details>
          )}
        </>
      )
    case 'judgement':
      return (
        <>
          {e.logprob !== undefined && (
            <p class="soft">probability of the verdict's token {share(Math.exp(e.logprob))}</p>
          )}
          {e.reason !== '' && <Rich text={cut(e.reason)} />}
        </>
      )
    case 'tool':
      return (
        <>
          {e.reason !== '' && <Rich text={cut(e.reason)} />}
          {e.level !== undefined && <p class="soft">ran in {e.level}</p>}
          {e.detail !== undefined && <Json title="what was checked" value={e.detail} />}
        </>
      )
    case 'alignment':
      return (
        <>
          <p class="soft">
            {e.reference === null
              ? 'matches no step of the reference'
              : `matches step ${e.reference + 1} of the reference`}
          </p>
          {e.reference !== null && problem.solution?.[e.reference] !== undefined && (
            <blockquote>
              <Rich text={cut(problem.solution[e.reference]!)} />
            </blockquote>
          )}
          {e.reason !== '' && <Rich text={cut(e.reason)} />}
        </>
      )
    case 'value':
      return (
        <p>
          <Share of={e.value} among={1} /> chance {share(e.value)} that a run ends right from here, the mean of{' '}
          {counted(e.visits, 'look')}
        </p>
      )
    case 'likelihood':
      return <Ratios evidence={e} />
    case 'score':
      return e.value === null ? (
        <p class="soft">cannot say</p>
      ) : (
        <p>
          <Share of={e.value} among={1} /> {e.meaning} {share(e.value)}
        </p>
      )
    case 'human':
      return e.note === undefined || e.note === '' ? <p class="soft">without a note</p> : <Rich text={cut(e.note)} />
    case 'imported':
      return (
        <>
          {e.reason !== undefined && e.reason !== '' && <Rich text={cut(e.reason)} />}
          <p class="soft">
            <Plain
              text={[e.annotator, e.file?.split('/').at(-1), e.row === undefined ? '' : `row ${e.row + 1}`]
                .filter(Boolean)
                .join(' · ')}
            />
          </p>
          {typeof e.raw === 'object' && <Json title="value in the file" value={e.raw} />}
        </>
      )
  }
}

/** By step of the reference: how much likelier its rest becomes, and what a text of shuffled letters brings. */
function Ratios({ evidence: { ratios, control, tokens } }: { evidence: Extract<Evidence, { kind: 'likelihood' }> }) {
  const said = (value: number | null | undefined): string => (value == null ? '–' : value.toFixed(2))
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">reference from step</th>
          <th scope="col">gain, nats</th>
          {control !== undefined && <th scope="col">shuffled</th>}
          <th scope="col">tokens</th>
        </tr>
      </thead>
      <tbody>
        {ratios.map((ratio, t) => (
          <tr key={t}>
            <td>{t + 1}</td>
            <td class="figure">{said(ratio)}</td>
            {control !== undefined && <td class="figure">{said(control[t])}</td>}
            <td class="figure">{tokens[t] ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Json({ title, value }: { title: string; value: unknown }) {
  return (
    <details>
      <summary>{title}</summary>
      <Code code={cut(JSON.stringify(value, null, 2) ?? '')} language="json" />
    </details>
  )
}

/** A bar, for the eye; the figures stand beside it. */
function Share({ of, among }: { of: number; among: number }) {
  const part = among === 0 ? 0 : of / among
  return (
    <span class="share" aria-hidden="true">
      <span style={{ width: `${part * 100}%`, background: valueColour(part) }} />
    </span>
  )
}

/** Evidence is read beside its step; what is longer than a long page is cut. */
const EVIDENCE_CHARS = 12_000

function cut(text: string): string {
  return text.length > EVIDENCE_CHARS ? `${text.slice(0, EVIDENCE_CHARS)} …` : text
}
