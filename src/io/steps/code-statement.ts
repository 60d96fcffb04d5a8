import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { cutAt, type Splitter } from './splitter.ts'

const LANGUAGES = ['python', 'javascript', 'typescript', 'bash', 'java', 'cpp', 'go', 'rust', 'ruby', 'php'] as const
type Language = (typeof LANGUAGES)[number]

/**
 * One step a top-level statement (tree-sitter); comments and decorators go with the statement behind them.
 *
 * Text is taken as code of the fence's language, else of the first language that reads it without an error; text around
 * fences is cut at the fences. Text that no grammar reads is one step.
 */
export const codeStatement: Splitter = {
  name: 'code-statement',
  summary: 'one step a top-level statement, by the grammar of the language',
  options: z.object({}),
  async split(text) {
    const blocks = [...text.matchAll(/^(```+)([\w+#-]*)[ \t]*\n([\s\S]*?)^\1[ \t]*$/gm)]
    if (blocks.length === 0) return cutAt(text, await statementStarts(text, null))
    const cuts: number[] = []
    for (const b of blocks) {
      const code = b.index + b[0].indexOf('\n') + 1
      const inner = await statementStarts(b[3] ?? '', languageOf(b[2] ?? ''))
      // The opening fence goes with the first statement, the closing one with the last.
      cuts.push(b.index, b.index + b[0].length, ...inner.slice(1).map((p) => code + p))
    }
    return cutAt(text, cuts)
  },
}

function languageOf(fence: string): Language | null {
  const short: Record<string, Language> = {
    py: 'python',
    python3: 'python',
    js: 'javascript',
    ts: 'typescript',
    sh: 'bash',
    shell: 'bash',
    'c++': 'cpp',
    c: 'cpp',
    rb: 'ruby',
    rs: 'rust',
  }
  const name = fence.toLowerCase()
  return short[name] ?? LANGUAGES.find((l) => l === name) ?? null
}

/** Character positions of the top-level statements; empty where no grammar reads the code. */
async function statementStarts(code: string, language: Language | null): Promise<number[]> {
  for (const name of language === null ? (['python', 'javascript', 'typescript'] as const) : [language]) {
    const parser = await parserFor(name)
    const tree = parser.parse(code)
    if (!tree) continue
    const root = tree.rootNode
    const starts: number[] = []
    let comment: number | null = null
    for (const node of root.namedChildren) {
      if (node === null) continue
      if (/comment/.test(node.type)) {
        comment ??= node.startIndex
        continue
      }
      starts.push(lineStart(code, comment ?? node.startIndex))
      comment = null
    }
    const readable = !root.hasError
    tree.delete()
    if (readable) return starts
  }
  return []
}

/** Indentation before a statement belongs to it. */
function lineStart(code: string, at: number): number {
  const line = code.lastIndexOf('\n', at - 1) + 1
  return code.slice(line, at).trim() === '' ? line : at
}

type Parser = import('web-tree-sitter').Parser
const parsers = new Map<Language, Promise<Parser>>()

/** The parser of a language, loaded once. */
export function parserFor(language: Language): Promise<Parser> {
  const known = parsers.get(language)
  if (known) return known
  const loading = loadParser(language)
  parsers.set(language, loading)
  return loading
}

async function loadParser(language: Language): Promise<Parser> {
  const { Parser, Language: Grammar } = await import('web-tree-sitter')
  const require = createRequire(import.meta.url)
  await Parser.init()
  const folder = join(dirname(require.resolve('@vscode/tree-sitter-wasm/package.json')), 'wasm')
  const parser = new Parser()
  parser.setLanguage(await Grammar.load(join(folder, `tree-sitter-${language}.wasm`)))
  return parser
}
