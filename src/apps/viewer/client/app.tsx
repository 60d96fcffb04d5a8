import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { DatasetPage } from './dataset/page.tsx'
import { KeyHelp, openHelp, useKeys } from './keys.tsx'
import { Trouble, Waiting } from './parts/bits.tsx'
import { count, counted } from './parts/words.ts'
import { formatRoute } from './route.ts'
import { go, offline, route, session } from './state.ts'
import { nextTheme, theme } from './theme.ts'

/** Pages other than the list of traces are fetched when they are first opened. */
const PAGES: Record<string, () => Promise<ComponentType>> = {
  trace: async () => (await import('./trace/page.tsx')).TracePage,
  compare: async () => (await import('./trace/compare.tsx')).ComparePage,
  trees: async () => (await import('./tree/page.tsx')).TreesPage,
  queue: async () => (await import('./queue/page.tsx')).QueuePage,
  agreement: async () => (await import('./queue/agreement.tsx')).AgreementPage,
  adjudicate: async () => (await import('./queue/adjudicate.tsx')).AdjudicatePage,
  runs: async () => (await import('./runs/page.tsx')).RunsPage,
  methods: async () => (await import('./methods/page.tsx')).MethodsPage,
}

/** In the order of the bar; `of` are the pages that belong to an entry. */
const PLACES = [
  { name: 'Traces', key: '1', path: 'traces', of: ['traces', 'trace', 'compare'] },
  { name: 'Trees', key: '2', path: 'trees', of: ['trees'] },
  { name: 'Label queue', key: '3', path: 'queue', of: ['queue', 'agreement', 'adjudicate'] },
  { name: 'Runs', key: '4', path: 'runs', of: ['runs'] },
  { name: 'Methods', key: '5', path: 'methods', of: ['methods'] },
] as const

export function App() {
  useKeys('Everywhere', [
    ...PLACES.map((p) => ({ keys: [p.key], does: p.name.toLowerCase(), run: () => go([p.path]) })),
    { keys: ['t'], does: 'light, dark or as the system', run: nextTheme },
  ])
  const page = route.value.path[0] ?? ''
  return (
    <>
      <Bar page={page} />
      <main>
        {offline.value !== null && <Trouble refused={offline.value} />}
        {PAGES[page] === undefined ? <DatasetPage /> : <LatePage key={page} load={PAGES[page]} />}
      </main>
      <KeyHelp />
    </>
  )
}

function LatePage({ load }: { load: () => Promise<ComponentType> }) {
  const [Page, setPage] = useState<ComponentType | null>(null)
  useEffect(() => {
    void load().then((page) => setPage(() => page))
  }, [load])
  return Page === null ? <Waiting /> : <Page />
}

function Bar({ page }: { page: string }) {
  const now = session.value
  return (
    <header class="bar">
      <a class="mark" href={formatRoute(['traces'])}>
        gradus
      </a>
      <nav aria-label="Pages">
        {PLACES.map((p) => (
          <a
            key={p.path}
            href={formatRoute([p.path])}
            aria-current={p.of.some((name) => name === page) ? 'page' : undefined}
          >
            {p.name}
          </a>
        ))}
      </nav>
      <p class="what">
        {now !== null && (
          <>
            <b title={now.name}>{shortName(now.files)}</b>{' '}
            <span class="soft">
              {counted(now.traces, 'trace')}, {counted(now.steps, 'step')}
            </span>
            {now.leftOut.count > 0 && (
              <span class="bad" title={now.leftOut.examples.join('\n')}>
                {' '}
                · {count(now.leftOut.count)} left out
              </span>
            )}
            {now.indexing.failure !== null && <span class="bad"> · {now.indexing.failure}</span>}
            {!now.indexing.finished && (
              <progress aria-label="Reading" value={now.indexing.share ?? undefined} max={1} />
            )}
          </>
        )}
      </p>
      <button type="button" class="quiet" onClick={nextTheme} title="light, dark or as the system ( t )">
        {theme.value}
        <span class="unseen"> theme</span>
      </button>
      <button type="button" class="quiet" onClick={openHelp} title="all keys ( ? )">
        <kbd>?</kbd>
        <span class="unseen">keys</span>
      </button>
    </header>
  )
}

/** Several files are named by the first; the others are in the title. */
function shortName(files: readonly { name: string }[]): string {
  const first = files[0]?.name ?? ''
  return files.length > 1 ? `${first} and ${files.length - 1} more` : first
}
