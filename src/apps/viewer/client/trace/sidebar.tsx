import type { Trace } from '../../../../core/words.ts'
import type { Row } from '../api.generated.ts'
import { FirstWrong, Outcome } from '../parts/bits.tsx'
import { RiskStrip } from '../parts/risk-strip.tsx'
import { count, share, stepName } from '../parts/words.ts'
import { formatRoute } from '../route.ts'
import { get } from '../server.ts'
import { isDiff } from '../text/diff.ts'
import { Code, Plain, Rich } from '../text/rich.tsx'
import { useAnswer } from '../use-answer.ts'
import type { Findings } from './findings.ts'
import { Chips } from './step-view.tsx'

interface Props {
  row: Row
  trace: Trace
  found: Findings
  first: number | null
  agents: readonly { name: string; steps: number }[]
  /** Only the steps of this agent are shown; null = all. */
  agent: string | null
  setAgent: (agent: string | null) => void
  select: (step: number) => void
}

/** Characters of the answer beside the steps; it stands whole in the last of them. */
const ANSWER_CHARS = 600
/** Candidates for the first wrong step that are listed. */
const CANDIDATES = 3

/** What is known of the trace as a whole. */
export function Sidebar({ row, trace, found, first, agents, agent, setAgent, select }: Props) {
  return (
    <aside class="sidebar" aria-label="About this trace">
      <h2>
        <Plain text={trace.id} />
      </h2>
      <dl class="facts">
        <Fact name="Generator" text={trace.source.generator} />
        <Fact name="Data set" text={trace.source.dataset} />
        <Fact name="Licence" text={trace.source.licence} />
        <Fact name="Task" text={row.task} />
        <div>
          <dt>Steps</dt>
          <dd>{count(trace.steps.length)}</dd>
        </div>
        {row.outcome !== null && (
          <div>
            <dt>Outcome</dt>
            <dd>
              <Outcome value={row.outcome} /> {row.outcome >= 0.5 ? 'succeeded' : 'failed'}
            </dd>
          </div>
        )}
        {trace.answer !== undefined && (
          <div>
            <dt>Answer</dt>
            <dd>
              {isDiff(trace.answer) ? (
                <Code code={trace.answer.slice(0, ANSWER_CHARS)} language="diff" />
              ) : (
                <Rich text={trace.answer.slice(0, ANSWER_CHARS)} />
              )}
            </dd>
          </div>
        )}
      </dl>
      <Where trace={trace} found={found} row={row} first={first} select={select} />
      {found.whole.length > 0 && (
        <section>
          <h3>Of the whole trace</h3>
          <p class="chips">
            <Chips findings={found.whole} />
          </p>
        </section>
      )}
      {agents.length > 1 && (
        <section>
          <h3>Agents</h3>
          {agents.map((a, i) => (
            <label key={a.name} class="choice">
              <input
                type="checkbox"
                checked={agent === a.name}
                onChange={() => setAgent(agent === a.name ? null : a.name)}
              />
              <span class={`name agent agent-${i % 8}`}>
                <Plain text={a.name === '' ? 'unnamed' : a.name} />
              </span>
              <span class="soft">{count(a.steps)}</span>
            </label>
          ))}
          <p class="soft">Choose one to see its steps alone.</p>
        </section>
      )}
      <Siblings row={row} />
    </aside>
  )
}

function Fact({ name, text }: { name: string; text: string }) {
  if (text === '') return null
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Plain text={text} />
      </dd>
    </div>
  )
}

/** Who says that which step is the first wrong one. */
function Where({ trace, found, row, first, select }: Pick<Props, 'trace' | 'found' | 'row' | 'first' | 'select'>) {
  const steps = trace.steps.length
  const likely = (trace.verdict?.firstErrorProb ?? [])
    .map((p, step) => ({ p, step: step === steps ? -1 : step }))
    .filter(({ p }) => p >= 0.01)
    .sort((a, b) => b.p - a.p)
    .slice(0, CANDIDATES)
  const said = found.firstErrors.filter(({ value }) => value !== null)
  if (likely.length === 0 && said.length === 0 && row.gold === null && first === null) return null
  return (
    <section>
      <h3>First wrong step</h3>
      <table class="where">
        <tbody>
          {likely.map(({ p, step }, i) => (
            <tr key={step}>
              <th scope="row">{i === 0 ? 'verdict' : ''}</th>
              <td>
                <StepLink step={step} select={select} />
              </td>
              <td class="soft">{share(p)}</td>
            </tr>
          ))}
          {said.map(({ source, value }) => (
            <tr key={source}>
              <th scope="row">
                <Plain text={source} />
              </th>
              <td>
                <StepLink step={value!} select={select} />
              </td>
              <td />
            </tr>
          ))}
          {row.gold !== null && !said.some((s) => s.value === row.gold) && (
            <tr>
              <th scope="row">gold</th>
              <td>
                <StepLink step={row.gold} select={select} />
              </td>
              <td />
            </tr>
          )}
        </tbody>
      </table>
    </section>
  )
}

function StepLink({ step, select }: { step: number; select: (step: number) => void }) {
  if (step < 0) return <span class="good">none</span>
  return (
    <button type="button" class="link bad" onClick={() => select(step)}>
      {stepName(step)}
    </button>
  )
}

/** Other attempts at the same question, to open or to set beside this one. */
function Siblings({ row }: { row: Row }) {
  const siblings = useAnswer(`siblings ${row.at}`, async () => {
    return await get('/api/traces/{at}/siblings', { path: { at: row.at } })
  })
  const others = (siblings.value?.rows ?? []).filter((r) => r.at !== row.at)
  if (others.length === 0) return null
  return (
    <section>
      <h3>Other attempts at it</h3>
      <ul class="siblings">
        {others.map((r) => (
          <li key={r.at}>
            <a href={formatRoute(['trace', r.at])}>
              <Plain text={r.generator === '' ? r.id : r.generator} />
            </a>{' '}
            <Outcome value={r.outcome} /> <FirstWrong value={r.firstError ?? r.gold} />
            {r.risk !== '' && <RiskStrip risk={r.risk} first={r.firstError} steps={r.steps} width={90} height={16} />}
            <a class="button" href={formatRoute(['compare', row.at, r.at])}>
              compare<span class="unseen"> with {r.id}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
