import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'

/** One thing that keys do. */
export interface Binding {
  /** As `KeyboardEvent.key`; the first is the one that is shown first. */
  keys: readonly string[]
  does: string
  run: () => void
}

interface Scope {
  title: string
  bindings: { current: readonly Binding[] }
}

/** Scopes that are on the page now; a later one wins. */
const scopes = signal<readonly Scope[]>([])
const helpOpen = signal(false)

/** Keys while a component is on the page. */
export function useKeys(title: string, bindings: readonly Binding[]): void {
  const current = useRef(bindings)
  current.current = bindings
  useEffect(() => {
    const scope: Scope = { title, bindings: current }
    scopes.value = [...scopes.peek(), scope]
    return () => {
      scopes.value = scopes.peek().filter((s) => s !== scope)
    }
  }, [title])
}

/** Listens once for the whole page. Typing into a field is never a command, except that Escape leaves the field. */
export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    const at = event.target instanceof HTMLElement ? event.target : null
    if (at?.closest('input, textarea, select') != null) {
      if (event.key === 'Escape') at.blur()
      return
    }
    if (document.querySelector('dialog[open]') !== null) return
    // Enter and space belong to the button or link that has the focus.
    if ((event.key === 'Enter' || event.key === ' ') && at?.closest('button, a, summary, [role=option]') != null) return
    for (const scope of scopes.peek().toReversed()) {
      const binding = scope.bindings.current.find((b) => b.keys.includes(event.key))
      if (binding !== undefined) {
        event.preventDefault()
        binding.run()
        return
      }
    }
    // Last, because labelling has another use for the question mark.
    if (event.key === '?' || event.key === 'F1') {
      event.preventDefault()
      helpOpen.value = true
    }
  })
}

export function openHelp(): void {
  helpOpen.value = true
}

const NAMES: Record<string, string> = {
  ArrowDown: '↓',
  ArrowUp: '↑',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  PageDown: 'Page ↓',
  PageUp: 'Page ↑',
  ' ': 'Space',
}

/** All keys of the page that is open. */
export function KeyHelp() {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (helpOpen.value) dialog.current?.showModal()
    else dialog.current?.close()
  })
  if (!helpOpen.value) return null
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={() => (helpOpen.value = false)}>
      <header>
        <h2 id="help-title">Keys</h2>
        <button type="button" class="quiet" onClick={() => (helpOpen.value = false)}>
          Close
        </button>
      </header>
      {scopes.value.map((scope) => (
        <section key={scope.title}>
          <h3>{scope.title}</h3>
          <dl>
            {scope.bindings.current.map((b) => (
              <div key={b.does}>
                <dt>
                  {b.keys.map((k) => (
                    <kbd key={k}>{NAMES[k] ?? k}</kbd>
                  ))}
                </dt>
                <dd>{b.does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </dialog>
  )
}
