import type { QueueAgreement } from '../api.generated.ts'
import { Empty, FirstWrong, Trouble, Waiting } from '../parts/bits.tsx'
import { count, share } from '../parts/words.ts'
import { formatRoute } from '../route.ts'
import { get } from '../server.ts'
import { session } from '../state.ts'
import { Plain } from '../text/rich.tsx'
import { useAnswer } from '../use-answer.ts'

/** How far people agree, and the traces on which they do not: `#/agreement`. */
export function AgreementPage() {
  const version = session.value?.version ?? 0
  const agreement = useAnswer(`agreement ${version}`, () => get('/api/queue/agreement', {}))
  if (agreement.refused !== null) return <Trouble refused={agreement.refused} />
  if (agreement.value === null) return <Waiting />
  const { people, steps, traces, items } = agreement.value
  return (
    <div class="page">
      <h1>Agreement</h1>
      <p class="buttons">
        <a class="button" href={formatRoute(['queue'])}>
          To the queue
        </a>
        <a class="button" href="/api/queue/export" download="labels.jsonl">
          Export all labels
        </a>
      </p>
      {people.length === 0 ? (
        <Empty>Nobody has labelled yet.</Empty>
      ) : (
        <>
          <People people={people} />
          <h2>Between people</h2>
          <Pairs title="Classes of steps" of={steps} />
          <Pairs title="First wrong step of a trace" of={traces} />
          <h2>Labelled by several</h2>
          <Items items={items} />
        </>
      )}
    </div>
  )
}

function People({ people }: { people: QueueAgreement['people'] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Person</th>
          <th scope="col">Done</th>
          <th scope="col">Skipped</th>
          <th scope="col">Gold items right</th>
        </tr>
      </thead>
      <tbody>
        {people.map((p) => (
          <tr key={p.person}>
            <th scope="row">
              <Plain text={p.person} />
            </th>
            <td class="figure">{count(p.done)}</td>
            <td class="figure">{count(p.skipped)}</td>
            <td class="figure">{p.gold.n === 0 ? '–' : `${count(p.gold.right)} of ${count(p.gold.n)}`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Pairs({ title, of }: { title: string; of: QueueAgreement['steps'] }) {
  return (
    <table>
      <caption>
        {title} · Krippendorff's alpha {of.alpha === null ? 'not defined yet' : share(of.alpha)}
      </caption>
      <thead>
        <tr>
          <th scope="col">Pair</th>
          <th scope="col">Items</th>
          <th scope="col">Same</th>
          <th scope="col">Cohen's kappa</th>
        </tr>
      </thead>
      <tbody>
        {of.pairs.map((p) => (
          <tr key={`${p.a} ${p.b}`}>
            <th scope="row">
              <Plain text={`${p.a} and ${p.b}`} />
            </th>
            <td class="figure">{count(p.n)}</td>
            <td class="figure">{p.same === null ? '–' : share(p.same)}</td>
            <td class="figure">{p.kappa === null ? '–' : share(p.kappa)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Items({ items }: { items: QueueAgreement['items'] }) {
  if (items.length === 0) return <Empty>No trace has labels of two people yet.</Empty>
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Trace</th>
          <th scope="col">Problem</th>
          <th scope="col">First wrong step</th>
          <th scope="col">Decision</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.at}>
            <td>
              <a href={formatRoute(['adjudicate', item.at])}>
                <Plain text={item.id} />
              </a>
            </td>
            <td class="clamped" dir="auto">
              <Plain text={item.problem} />
            </td>
            <td>
              {item.said.map((g) => (
                <span key={g.person} class="said-by">
                  <Plain text={g.person} /> <FirstWrong value={g.firstError} />
                </span>
              ))}
            </td>
            <td>
              {item.adjudicated !== null ? (
                <>
                  <FirstWrong value={item.adjudicated.firstError} /> by <Plain text={item.adjudicated.person} />
                </>
              ) : item.differs ? (
                <span class="bad">they differ</span>
              ) : (
                'they agree'
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
