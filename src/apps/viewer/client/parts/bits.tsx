import type { ComponentChildren } from 'preact'
import type { Refused } from '../server.ts'
import { share } from './words.ts'

/** What went wrong, in the server's words, and what to do. */
export function Trouble({ refused }: { refused: Refused }) {
  return (
    <div class="trouble" role="alert">
      <p>{refused.message}</p>
      {refused.advice.map((line) => (
        <pre key={line}>{line}</pre>
      ))}
    </div>
  )
}

/** Said in place of content, calmly. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

export function Waiting() {
  return (
    <p class="empty" role="status">
      Loading …
    </p>
  )
}

export function Outcome({ value }: { value: number | null }) {
  if (value === null) return null
  const good = value >= 0.5
  return (
    <span class={good ? 'good' : 'bad'} title={good ? 'succeeded' : 'failed'}>
      <span aria-hidden="true">{good ? '✓' : '✗'}</span> {value > 0 && value < 1 ? share(value) : ''}
      <span class="unseen">{good ? 'succeeded' : 'failed'}</span>
    </span>
  )
}

/** A first wrong step, counted from one. */
export function FirstWrong({ value }: { value: number | null }) {
  if (value === null) return <span class="soft">?</span>
  return value < 0 ? <span class="good">none</span> : <span class="bad">✗ {value + 1}</span>
}
