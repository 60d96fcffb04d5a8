import { codeStatement } from './code-statement.ts'
import type { Splitter } from './splitter.ts'
import { existing, latex, line, message, numbered, paragraph, sentence } from './text-splitters.ts'

export const SPLITTERS: readonly Splitter[] = [
  existing,
  numbered,
  paragraph,
  line,
  sentence,
  latex,
  codeStatement,
  message,
]
