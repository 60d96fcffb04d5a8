import type { Problem, Step } from '../../../../core/words.ts'
import { counted, share } from '../parts/words.ts'
import { Code, Plain } from '../text/rich.tsx'
import { EvidencePanel } from './evidence.tsx'
import { type Finding, sign } from './findings.ts'
import { useFold } from './folds.ts'
import { LongText } from './long-text.tsx'
import { callLine, repeatsCall, toolArguments } from './tool-call.ts'

interface Props {
  index: number
  step: Step
  findings: readonly Finding[]
  whole: readonly Finding[]
  problem: Problem
  risk: number | null
  wrong: boolean
  current: boolean
  /** Which of the agents speaks, for colour; -1 = one agent only. */
  agent: number
  onSelect: () => void
}

/** Chips beside a step; more sources than that are counted by what they say. */
const CHIPS = 4
/** Output longer than this is folded. */
const OPEN_CHARS = 600

export function StepView({ index, step, findings, whole, problem, risk, wrong, current, agent, onSelect }: Props) {
  const [open, setOpen] = useFold(`evidence ${index}`)
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys j and k select a step
    <article
      class={['step', wrong ? 'wrong' : '', current ? 'current' : ''].join(' ')}
      aria-label={`Step ${index + 1}${wrong ? ', first wrong step' : ''}`}
      aria-current={current ? 'step' : undefined}
      onClick={onSelect}
    >
      <div class="gutter">
        <span class="number">{index + 1}</span>
        {risk !== null && <span class="soft">{share(risk)}</span>}
      </div>
      <div class="said">
        <p class="who">
          {agent >= 0 && (
            <span class={`agent agent-${agent % 8}`}>
              <Plain text={step.agent ?? 'unnamed'} />
            </span>
          )}
          {step.kind !== 'thought' && <span class="kind">{step.kind}</span>}
          {wrong && <span class="first-wrong">✗ first wrong step</span>}
        </p>
        {step.text !== '' && !onlyCalls(step) && (
          <LongText
            text={step.text}
            pointer={`/steps/${index}/text`}
            as={step.kind === 'observation' ? 'output' : 'prose'}
          />
        )}
        {step.action !== undefined && <ToolCall index={index} action={step.action} />}
        {step.observation !== undefined && <Observation index={index} text={step.observation} />}
        {findings.length > 0 && (
          <details class="why" open={open === 1} onToggle={(e) => setOpen(e.currentTarget.open ? 1 : 0)}>
            <summary>
              <Chips findings={findings} />
              <span class="soft">evidence</span>
            </summary>
            {open === 1 && <EvidencePanel findings={findings} whole={whole} problem={problem} />}
          </details>
        )}
      </div>
    </article>
  )
}

function onlyCalls({ text, action }: Step): boolean {
  return action !== undefined && repeatsCall(text, action.tool, action.input)
}

/** What sources say of a step, in one line. */
export function Chips({ findings }: { findings: readonly Finding[] }) {
  if (findings.length > CHIPS) {
    return (
      <>
        {(['bad', 'good', 'neutral', 'open'] as const).map((mark) => {
          const n = findings.filter((f) => f.mark === mark).length
          return n === 0 ? null : (
            <span key={mark} class={`chip ${mark}`}>
              {sign(mark)} {n}
            </span>
          )
        })}
        <span class="soft">of {counted(findings.length, 'source')}</span>
      </>
    )
  }
  return (
    <>
      {findings.map((f) => (
        <span key={f.source} class={`chip ${f.mark}`}>
          {sign(f.mark)}{' '}
          <span class="source">
            <Plain text={f.source.replace(/^verifier:/, '')} />
          </span>{' '}
          <Plain text={f.word} />
        </span>
      ))}
    </>
  )
}

function ToolCall({ index, action }: { index: number; action: NonNullable<Step['action']> }) {
  const [open, setOpen] = useFold(`action ${index}`)
  return (
    <details class="call" open={open === 1} onToggle={(e) => setOpen(e.currentTarget.open ? 1 : 0)}>
      <summary>
        <code>
          <Plain text={callLine(action.tool, action.input)} />
        </code>
      </summary>
      {open === 1 &&
        toolArguments(action.tool, action.input).map((a) => (
          <div key={a.name}>
            {a.name !== '' && (
              <p class="soft">
                <Plain text={a.name} />
              </p>
            )}
            <Code code={a.text} language={a.language} />
          </div>
        ))}
    </details>
  )
}

function Observation({ index, text }: { index: number; text: string }) {
  const short = text.length <= OPEN_CHARS
  const [toggled, setToggled] = useFold(`observation ${index}`)
  const open = short !== (toggled === 1)
  return (
    <details class="call back" open={open} onToggle={(e) => setToggled(e.currentTarget.open === short ? 0 : 1)}>
      <summary>
        <span class="soft">→ {open ? 'result' : <Plain text={firstLine(text)} />}</span>
      </summary>
      {open && <LongText text={text} pointer={`/steps/${index}/observation`} as="output" />}
    </details>
  )
}

function firstLine(text: string): string {
  const line = text.slice(0, 200).trim().split('\n')[0] ?? ''
  return `${line.slice(0, 120)}${text.length > 120 ? ' …' : ''}`
}
