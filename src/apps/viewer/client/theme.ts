import { effect, signal } from '@preact/signals'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'gradus-theme'

/** What the person chose. */
export const theme = signal<Theme>(THEMES.find((t) => t === localStorage.getItem(KEY)) ?? 'system')

const systemDark = matchMedia('(prefers-color-scheme: dark)')
const system = signal(systemDark.matches)
systemDark.addEventListener('change', (e) => {
  system.value = e.matches
})

/** What is seen. */
export function isDark(): boolean {
  return theme.value === 'system' ? system.value : theme.value === 'dark'
}

export function startTheme(): void {
  effect(() => {
    localStorage.setItem(KEY, theme.value)
    if (theme.value === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = theme.value
  })
}

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!
}
