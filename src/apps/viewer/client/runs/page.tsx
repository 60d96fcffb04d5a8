import { useState } from 'preact/hooks'
import type { RunAnswer, RunFile, RunRow } from '../api.generated.ts'
import { useKeys } from '../keys.tsx'
import { Empty, Trouble, Waiting } from '../parts/bits.tsx'
import { count } from '../parts/words.ts'
import { formatRoute } from '../route.ts'
import { get } from '../server.ts'
import { go, route, session } from '../state.ts'
import { Code, Plain } from '../text/rich.tsx'
import { useAnswer } from '../use-answer.ts'
import { FigureView } from './figure.tsx'

/** Runs: `#/runs`, one `#/runs/<n>`, two beside each other `#/runs/<n>/<m>`. */
export function RunsPage() {
  const chosen = route.value.path.slice(1).map(Number).filter(Number.isInteger).slice(0, 2)
  const version = session.value?.version ?? 0
  const list = useAnswer(`runs ${version}`, async () => (await get('/api/runs', {})).runs)
  useKeys('Runs', [{ keys: ['Escape', 'u'], does: 'all runs', run: () => go(['runs']) }])
  if (list.refused !== null) return <Trouble refused={list.refused} />
  if (list.value === null) return <Waiting />
  if (list.value.length === 0) {
    return (
      <Empty>
        This is no run folder. `gradus run` writes one; `gradus view` of it shows it here, also while it runs.
      </Empty>
    )
  }
  const shown = chosen.length > 0 ? chosen : list.value.length === 1 ? [list.value[0]!.n] : []
  if (shown.length === 0) return <RunList runs={list.value} />
  return (
    <div class="page wide">
      <div class={shown.length === 2 ? 'beside' : ''}>
        {shown.map((n) => (
          <RunPage key={n} n={n} version={version} />
        ))}
      </div>
      {list.value.length > 1 && shown.length === 1 && <Beside runs={list.value} n={shown[0]!} />}
    </div>
  )
}

function RunList({ runs }: { runs: readonly RunRow[] }) {
  const [chosen, setChosen] = useState<readonly number[]>([])
  const toggle = (n: number): void =>
    setChosen(chosen.includes(n) ? chosen.filter((c) => c !== n) : [...chosen, n].slice(-2))
  return (
    <div class="page">
      <h1>Runs</h1>
      <table>
        <thead>
          <tr>
            <th scope="col">Compare</th>
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col">Tokens</th>
            <th scope="col">Cost</th>
            <th scope="col">Started</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((r) => (
            <tr key={r.n}>
              <td>
                <input
                  type="checkbox"
                  aria-label={`Compare ${r.name}`}
                  checked={chosen.includes(r.n)}
                  onChange={() => toggle(r.n)}
                />
              </td>
              <th scope="row">
                <a href={formatRoute(['runs', r.n])}>
                  <Plain text={r.name} />
                </a>
              </th>
              <td>{r.run === null ? <span class="bad">{r.problem}</span> : <State run={r.run} />}</td>
              <td class="figure">{r.run?.usage == null ? '–' : count(tokens(r.run.usage))}</td>
              <td class="figure">{money(r.run?.usage?.cost)}</td>
              <td>{time(r.run?.started)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="buttons">
        <button type="button" disabled={chosen.length !== 2} onClick={() => go(['runs', ...chosen])}>
          Beside each other
        </button>
      </p>
    </div>
  )
}

function Beside({ runs, n }: { runs: readonly RunRow[]; n: number }) {
  return (
    <p>
      Beside it:{' '}
      {runs
        .filter((r) => r.n !== n)
        .map((r) => (
          <a key={r.n} class="button" href={formatRoute(['runs', n, r.n])}>
            <Plain text={r.name} />
          </a>
        ))}
    </p>
  )
}

function RunPage({ n, version }: { n: number; version: number }) {
  const run = useAnswer(`run ${n} ${version}`, () => get('/api/runs/{n}', { path: { n } }))
  if (run.refused !== null) return <Trouble refused={run.refused} />
  if (run.value === null) return <Waiting />
  return <Run answer={run.value} />
}

function Run({ answer: { name, run, problem, figures } }: { answer: RunAnswer }) {
  return (
    <section class="run" aria-label={name}>
      <h1>
        <Plain text={name} />
      </h1>
      {run === null ? <p class="bad">{problem}</p> : <RunFacts run={run} />}
      <div class="figures">
        {figures.map((f) => (
          <FigureView key={f.id} figure={f} />
        ))}
      </div>
      {run !== null && run.config !== '' && (
        <details>
          <summary>Configuration</summary>
          <Code code={run.config} language="json" />
        </details>
      )}
    </section>
  )
}

function RunFacts({ run }: { run: RunFile }) {
  const { usage } = run
  return (
    <>
      <p>
        <State run={run} /> <span class="soft">{time(run.started)}</span>
        {run.seed !== null && <span class="soft"> · seed {run.seed}</span>}
      </p>
      {usage !== null && (
        <dl class="figures-line">
          <Figure name="calls" value={count(usage.calls)} />
          <Figure name="prompt tokens" value={count(usage.promptTokens)} />
          <Figure name="written tokens" value={count(usage.completionTokens)} />
          <Figure name="from cache" value={count(usage.cachedTokens)} />
          <Figure name="seconds of calls" value={count(Math.round(usage.seconds))} />
          {usage.cost !== undefined && <Figure name="cost" value={money(usage.cost)} />}
        </dl>
      )}
      {run.stages.length > 0 && (
        <table class="stages">
          <tbody>
            {run.stages.map((s) => (
              <tr key={s.name}>
                <th scope="row">
                  <Plain text={s.name} />
                </th>
                <td>
                  {s.done !== null && s.total !== null && (
                    <progress value={s.done} max={Math.max(1, s.total)} aria-label={s.name} />
                  )}
                </td>
                <td class="figure">
                  {s.done === null ? '' : count(s.done)}
                  {s.total === null ? '' : ` of ${count(s.total)}`}
                </td>
                <td class="figure soft">{s.seconds === null ? '' : `${count(Math.round(s.seconds))} s`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function State({ run }: { run: RunFile }) {
  return (
    <span class={`state ${run.state}`}>
      <Plain text={run.stage === null || run.state !== 'running' ? run.state : `${run.state}: ${run.stage}`} />
    </span>
  )
}

function tokens(usage: { promptTokens: number; completionTokens: number }): number {
  return usage.promptTokens + usage.completionTokens
}

function money(cost: number | undefined): string {
  return cost === undefined ? '–' : `$${cost.toFixed(cost < 1 ? 4 : 2)}`
}

function time(iso: string | null | undefined): string {
  const date = new Date(iso ?? '')
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
}
