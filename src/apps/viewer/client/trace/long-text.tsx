import { createContext } from 'preact'
import { useContext, useState } from 'preact/hooks'
import type { Cut } from '../api.generated.ts'
import { count } from '../parts/words.ts'
import { get } from '../server.ts'
import { Code, Plain, Rich } from '../text/rich.tsx'
import { useFold } from './folds.ts'

/** Where the texts of a trace come from: those that the server cut are fetched on, piece by piece. */
export const TextSource = createContext<{ at: number; cuts: readonly Cut[]; raw: boolean }>({
  at: 0,
  cuts: [],
  raw: false,
})

/** Characters shown at first; each "more" shows four times as many. */
const FIRST = 6_000
/** Beyond this, text is shown as it is: typesetting a book in one step would stop the page. */
const RICH_CHARS = 60_000

interface Props {
  text: string
  /** JSON Pointer of the text in the trace. */
  pointer: string
  as: 'prose' | 'output'
}

/** A text of any length; as much of it as was asked for. */
export function LongText({ text, pointer, as }: Props) {
  const { at, cuts, raw } = useContext(TextSource)
  const [more, setMore] = useFold(`more ${pointer}`)
  const [tail, setTail] = useState('')
  const [waiting, setWaiting] = useState(false)
  const length = Math.max(text.length, cuts.find((c) => c.pointer === pointer)?.length ?? 0)
  const whole = text + tail
  const shown = whole.slice(0, FIRST * 4 ** more)

  const extend = async (): Promise<void> => {
    const want = FIRST * 4 ** (more + 1)
    let got = whole
    setWaiting(true)
    while (got.length < Math.min(want, length)) {
      const piece = await get('/api/traces/{at}/text', { path: { at }, query: { pointer, from: got.length } })
      if (piece.text === '') break
      got += piece.text
    }
    setWaiting(false)
    setTail(got.slice(text.length))
    setMore(more + 1)
  }

  return (
    <>
      <TextView text={shown} as={as} raw={raw} />
      {shown.length < length && (
        <button type="button" class="more" disabled={waiting} onClick={extend}>
          {count(length - shown.length)} more characters
        </button>
      )}
    </>
  )
}

function TextView({ text, as, raw }: { text: string; as: Props['as']; raw: boolean }) {
  if (as === 'output' && !raw) {
    const json = indented(text)
    return <Code code={json ?? text} language={json === null ? '' : 'json'} />
  }
  if (raw || text.length > RICH_CHARS) {
    return (
      <div class="rich raw" dir="auto">
        <Plain text={text} />
      </div>
    )
  }
  return <Rich text={text} />
}

/** JSON on lines of its own; null for anything else, also for JSON that was cut. */
function indented(text: string): string | null {
  if (!/^\s*[{[]/.test(text)) return null
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return null
  }
}
