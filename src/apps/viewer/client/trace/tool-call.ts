/** One input of a tool, ready to be read. */
export interface Argument {
  name: string
  text: string
  /** For colour; empty = none. */
  language: string
}

/** Arguments as code where they are code, the rest as one piece of JSON. */
export function toolArguments(tool: string, input: unknown): Argument[] {
  if (typeof input === 'string') return [{ name: '', text: input, language: languageOf(tool, input) }]
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return [json('', input)]
  const entries = Object.entries(input)
  const texts = entries.filter((e): e is [string, string] => typeof e[1] === 'string' && isBlock(e[0], e[1]))
  const rest = Object.fromEntries(entries.filter(([name]) => !texts.some(([n]) => n === name)))
  return [
    ...(Object.keys(rest).length > 0 || texts.length === 0 ? [json('', rest)] : []),
    ...texts.map(([name, text]) => ({ name, text, language: languageOf(`${tool} ${name}`, text) })),
  ]
}

/** One line that says what was called with what. */
export function callLine(tool: string, input: unknown): string {
  const line = callText(tool, input).replace(/\s+/g, ' ')
  return line.length > 160 ? `${line.slice(0, 160)}…` : line
}

/** Some formats say a call twice, as the text of the step and as its action. */
export function repeatsCall(text: string, tool: string, input: unknown): boolean {
  return text.trim() === callText(tool, input)
}

function callText(tool: string, input: unknown): string {
  return `${tool}(${(typeof input === 'string' ? input : JSON.stringify(input)) ?? ''})`
}

function json(name: string, value: unknown): Argument {
  return { name, text: JSON.stringify(value, null, 2) ?? 'undefined', language: 'json' }
}

function isBlock(name: string, text: string): boolean {
  return text.includes('\n') || /^(?:code|command|cmd|query|sql|patch|diff|script)$/i.test(name)
}

function languageOf(hint: string, text: string): string {
  if (/\b(?:select|insert|update|create)\b[\s\S]*\b(?:from|into|set|table)\b/i.test(text) && !text.includes('def ')) {
    return 'sql'
  }
  if (/python|ipython|notebook/i.test(hint) || /^(?:import|from|def|class) \w/m.test(text)) return 'python'
  if (/bash|shell|terminal|command|cmd|exec/i.test(hint)) return 'bash'
  return /^\s*[{[]/.test(text) ? 'json' : ''
}
