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

interface Fence {
  word: string
  body: string
  /** Offsets of the whole block in the text. */
  start: number
  end: number
}

/** Fenced blocks, line by line: linear in the text whatever it holds. A block that never closes is none. */
export function fences(text: string): Fence[] {
  const found: Fence[] = []
  let open: { word: string; start: number; body: number } | null = null
  let at = 0
  for (const line of text.split('\n')) {
    const mark = line.trim()
    if (mark.startsWith('```')) {
      if (open && mark === '```') {
        found.push({ word: open.word, body: text.slice(open.body, at), start: open.start, end: at + line.length })
        open = null
      } else if (!open && !mark.slice(3).includes('`')) {
        open = { word: /^\s*([\w+-]*)/.exec(mark.slice(3))?.[1] ?? '', start: at, body: at + line.length + 1 }
      }
    }
    at += line.length + 1
  }
  return found
}

function fencedCells(text: string, step: number, language: Language, unnamed: boolean): Cell[] {
  const cells: Cell[] = []
  const all = fences(text)
  all.forEach((fence, i) => {
    const before = all[i - 1]
    const announced = before !== undefined && ANNOUNCED.test(text.slice(before.end, fence.start))
    const named = FENCE_WORDS[language].test(fence.word)
    if (!named && !(unnamed && fence.word === '' && !announced)) return
    cells.push({ step, code: fence.body, output: statedAfter(text, fence.end, all[i + 1], step) })
  })
  return cells
}

/** `Output:`, `**Expected output**:` and the like, alone between two blocks. */
const ANNOUNCED = /^\s*\**(\w+\s+)?output\**:?\**\s*$/i

/** An `output` fence, an announced plain fence or an `Output:` line between this block and whatever follows. */
function statedAfter(text: string, end: number, next: Fence | undefined, step: number): Cell['output'] {
  const between = text.slice(end, next?.start ?? text.length)
  const line = /^\s*\**(?:\w+\s+)?output\**:\**[ \t]*([^\n]*)/i.exec(between)?.[1]?.trim()
  if (line) return { step, text: line.replace(/^`(.*)`$/, '$1') }
  if (!next) return null
  const announced = ANNOUNCED.test(between)
  const named = /^(output|tool_output|stdout)$/i.test(next.word) && (announced || between.trim() === '')
  return named || (announced && /^(|text|txt|plaintext|console)$/i.test(next.word)) ? { step, text: next.body } : null
}
