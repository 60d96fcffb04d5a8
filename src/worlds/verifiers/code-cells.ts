import type { Step, Trace } from '../../core/words.ts'
import type { Language } from '../sandbox/index.ts'

/** A piece of program in a trace, and what the trace says that it printed. */
export interface Cell {
  step: number
  code: string
  /** The stated output and the step that states it; null where nothing is stated. */
  output: { step: number; text: string } | null
}

/** Words after the fence that name the language. */
const FENCE_WORDS: Record<Language, RegExp> = {
  python: /^(python3?|py|tool_code)$/i,
  javascript: /^(javascript|js|node)$/i,
}

/** Tools whose input is a program. */
const TOOLS: Record<Language, RegExp> = {
  python:
    /^(i?python\d?|jupyter|code_?interpreter|(execute|run)_?(i?python|code)(_code)?|python_?(interpreter|exec(ute)?|repl|tool|code))$/i,
  javascript:
    /^(javascript|js|node(js)?|(execute|run)_?(javascript|js)(_code)?|(javascript|js)_?(interpreter|exec(ute)?|repl|tool|code))$/i,
}

const FENCE = /^[ \t]*```[ \t]*([\w+-]*)[^\n]*\n([\s\S]*?)^[ \t]*```[ \t]*$/gm

/**
 * The program of a trace, cell by cell: fenced blocks that name the language and calls of an interpreter.
 *
 * Stated outputs: the observation of the call, a following observation step, an `output` fence, or an `Output:` line
 * right after the block. An unnamed fence is a cell only when `unnamed` says so.
 */
export function cellsOf(trace: Trace, language: Language, unnamed: boolean): Cell[] {
  const cells: Cell[] = []
  trace.steps.forEach((step, index) => {
    if (step.kind === 'observation') return
    const called = calledProgram(step, language)
    if (called !== null) {
      cells.push({ step: index, code: called, output: observed(trace, index) })
      return
    }
    const fenced = fencedCells(step.text, index, language, unnamed)
    const last = fenced.at(-1)
    if (last && last.output === null) last.output = observed(trace, index)
    cells.push(...fenced)
  })
  return cells
}

function calledProgram(step: Step, language: Language): string | null {
  if (!step.action || !TOOLS[language].test(step.action.tool)) return null
  const { input } = step.action
  if (typeof input === 'string') return input
  if (typeof input !== 'object' || input === null) return null
  for (const key of ['code', 'program', 'script', 'source', 'query', 'input']) {
    const value: unknown = Reflect.get(input, key)
    if (typeof value === 'string') return value
  }
  return null
}

/** What came back: with the step itself, or as the next step. */
function observed(trace: Trace, index: number): Cell['output'] {
  const own = trace.steps[index]?.observation
  if (own !== undefined) return { step: index, text: own }
  const next = trace.steps[index + 1]
  return next?.kind === 'observation' ? { step: index + 1, text: next.text } : null
}

function fencedCells(text: string, step: number, language: Language, unnamed: boolean): Cell[] {
  const cells: Cell[] = []
  const fences = [...text.matchAll(FENCE)]
  fences.forEach((fence, i) => {
    const [whole, word = '', body = ''] = fence
    if (!FENCE_WORDS[language].test(word) && !(unnamed && word === '')) return
    const before = fences[i - 1]
    if (
      before &&
      word === '' &&
      /^\s*(\w+\s+)?output:?\s*$/i.test(text.slice(before.index + before[0].length, fence.index))
    )
      return
    const end = fence.index + whole.length
    cells.push({ step, code: body, output: statedAfter(text, end, fences[i + 1], step) })
  })
  return cells
}

/** An `output` fence or an `Output:` line between this block and whatever follows. */
function statedAfter(text: string, end: number, next: RegExpExecArray | undefined, step: number): Cell['output'] {
  const between = text.slice(end, next?.index ?? text.length)
  const line = /^\s*(?:\*\*)?(?:\w+\s+)?output:?(?:\*\*)?:?[ \t]*([^\n]*)/i.exec(between)
  if (line?.[1] && line[1].trim() !== '') return { step, text: line[1].trim().replace(/^`(.*)`$/, '$1') }
  if (!next) return null
  const word = next[1] ?? ''
  const announced = line !== null && between.slice(line[0].length).trim() === ''
  const follows = between.trim() === '' || announced
  if (
    follows &&
    (/^(output|tool_output|stdout)$/i.test(word) || (announced && /^(|text|txt|plaintext|console)$/i.test(word)))
  ) {
    return { step, text: next[2] ?? '' }
  }
  return null
}
