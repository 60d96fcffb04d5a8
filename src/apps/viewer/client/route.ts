/** Where the page is: `#/trace/12?step=4`. The address alone restores what is seen, so a link can be shared. */
export interface Route {
  /** Name of the page and what follows it, each decoded. */
  path: readonly string[]
  query: Readonly<Record<string, string>>
}

export const HOME: Route = { path: ['traces'], query: {} }

/** Anything that is no address of a page leads to the list of traces. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = split(hash.replace(/^#\/?/, ''), '?')
  const parts = path.split('/').filter((p) => p !== '')
  const decoded = parts.map(decode)
  if (decoded.length === 0) return HOME
  return { path: decoded, query: Object.fromEntries(new URLSearchParams(query)) }
}

/** Leaves out what is empty: the shortest address that says it. */
export function formatRoute(
  path: readonly (string | number)[],
  query: Record<string, string | number | undefined> = {},
): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(key, String(value))
  }
  const tail = search.toString()
  return `#/${path.map((p) => encodeURIComponent(String(p))).join('/')}${tail === '' ? '' : `?${tail}`}`
}

function split(text: string, at: string): [string, string] {
  const i = text.indexOf(at)
  return i < 0 ? [text, ''] : [text.slice(0, i), text.slice(i + 1)]
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
