import { createContext } from 'preact'
import { useContext, useState } from 'preact/hooks'

/** What a reader has opened, by name: steps that scroll out of sight are taken from the page and come back as left. */
export const Folds = createContext(new Map<string, number>())

/** A remembered number; 0 = as at first. */
export function useFold(name: string): [number, (value: number) => void] {
  const folds = useContext(Folds)
  const [value, set] = useState(folds.get(name) ?? 0)
  return [
    value,
    (to) => {
      folds.set(name, to)
      set(to)
    },
  ]
}
