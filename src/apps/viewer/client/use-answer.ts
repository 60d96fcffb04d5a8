import { useEffect, useState } from 'preact/hooks'
import { Refused } from './server.ts'

/** A request on its way, answered or refused; the last answer stays while a new one is on its way. */
export interface Answer<T> {
  value: T | null
  refused: Refused | null
  /** The value belongs to the present key. */
  fresh: boolean
}

/** Asks again whenever the key changes; late answers to earlier keys are dropped. `null` asks nothing. */
export function useAnswer<T>(key: string | null, ask: () => Promise<T>): Answer<T> {
  const [state, setState] = useState<{ key: string | null; value: T | null; refused: Refused | null }>({
    key: null,
    value: null,
    refused: null,
  })
  useEffect(() => {
    if (key === null) return
    let current = true
    ask().then(
      (value) => {
        if (current) setState({ key, value, refused: null })
      },
      (error: unknown) => {
        if (!current) return
        const refused = error instanceof Refused ? error : new Refused('page', String(error), [])
        setState((s) => ({ ...s, key, refused }))
      },
    )
    return () => {
      current = false
    }
  }, [key])
  return { value: state.value, refused: state.refused, fresh: state.key === key }
}
