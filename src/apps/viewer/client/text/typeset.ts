import { signal } from '@preact/signals'

/** Typesetting and highlighting: fetched with the first step that is shown, not with the list of traces. */
interface Typesetter {
  mathNodes: (tex: string, display: boolean) => Node | null
  highlighted: (code: string, language: string) => DocumentFragment | null
}

/** null until it is here: until then formulas and code are shown as they are written. */
export const typesetter = signal<Typesetter | null>(null)

let asked: Promise<void> | null = null

export function loadTypesetter(): Promise<void> {
  asked ??= Promise.all([import('./math.ts'), import('./highlight.ts')]).then(([{ mathNodes }, { highlighted }]) => {
    typesetter.value = { mathNodes, highlighted }
  })
  return asked
}
