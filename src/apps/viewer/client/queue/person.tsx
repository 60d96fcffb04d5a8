import { effect, signal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { session } from '../state.ts'
import { Plain } from '../text/rich.tsx'

const KEY = 'gradus-person'

/** Who labels in this browser; empty = not said. */
export const person = signal(localStorage.getItem(KEY) ?? '')
effect(() => localStorage.setItem(KEY, person.value))

/** Names as the server takes them. */
const NAME = '[\\p{L}\\p{N}][\\p{L}\\p{N} ._\\-]{0,39}'

/** Labels carry a name, so that people can agree and differ. */
export function PersonForm() {
  const field = useRef<HTMLInputElement>(null)
  return (
    <form
      class="page"
      onSubmit={(e) => {
        e.preventDefault()
        person.value = field.current!.value.trim()
      }}
    >
      <h1>Label queue</h1>
      <label>
        Your name stands with your labels
        <input ref={field} required pattern={NAME} maxLength={40} autoComplete="off" />
      </label>
      <p class="buttons">
        <button type="submit" class="main">
          Begin
        </button>
        {session.value?.people.map((p) => (
          <button key={p} type="button" onClick={() => (person.value = p)}>
            <Plain text={p} />
          </button>
        ))}
      </p>
    </form>
  )
}
