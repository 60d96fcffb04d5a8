import { effect, signal } from '@preact/signals'
import type { Session } from './api.generated.ts'
import { formatRoute, parseRoute } from './route.ts'
import { get, type Refused } from './server.ts'

/** Where the page is; follows the address bar. */
export const route = signal(parseRoute(location.hash))
addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash)
})

/** Goes to a page; `replace` where a person would not want to come back to the place before. */
export function go(
  path: readonly (string | number)[],
  query: Record<string, string | number | undefined> = {},
  how: 'push' | 'replace' = 'push',
): void {
  const hash = formatRoute(path, query)
  if (hash === location.hash) return
  if (how === 'push') location.hash = hash
  else {
    history.replaceState(null, '', hash)
    route.value = parseRoute(hash)
  }
}

/** The last list of traces that was seen, for the way back and for next and previous. */
export const lastList = signal<Readonly<Record<string, string>>>({})

/** What the server shows; null until it first answers. */
export const session = signal<Session | null>(null)
export const offline = signal<Refused | null>(null)

/** While a file is read its first traces are wanted soon; later only labels of others and runs change. */
const POLL = { reading: 400, idle: 2_500 }

async function poll(): Promise<void> {
  if (!document.hidden) {
    try {
      const now = await get('/api/session', {})
      // Equal answers keep their identity, so that nothing is drawn again.
      if (JSON.stringify(now) !== JSON.stringify(session.peek())) session.value = now
      offline.value = null
    } catch (error) {
      offline.value = error as Refused
    }
  }
  setTimeout(poll, session.peek()?.indexing.finished === true ? POLL.idle : POLL.reading)
}

export function startPolling(): void {
  void poll()
  effect(() => {
    document.title = session.value === null ? 'Gradus' : `${session.value.name} · Gradus`
  })
}
