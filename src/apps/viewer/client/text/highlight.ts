import hljs from 'highlight.js/lib/core'
import bash from 'highlight.js/lib/languages/bash'
import cpp from 'highlight.js/lib/languages/cpp'
import java from 'highlight.js/lib/languages/java'
import javascript from 'highlight.js/lib/languages/javascript'
import json from 'highlight.js/lib/languages/json'
import python from 'highlight.js/lib/languages/python'
import sql from 'highlight.js/lib/languages/sql'
import typescript from 'highlight.js/lib/languages/typescript'
import xml from 'highlight.js/lib/languages/xml'
import yaml from 'highlight.js/lib/languages/yaml'
import { safeCode } from './safe.ts'

for (const [name, language] of Object.entries({
  bash,
  cpp,
  java,
  javascript,
  json,
  python,
  sql,
  typescript,
  xml,
  yaml,
})) {
  hljs.registerLanguage(name, language)
}

/** Longer code is shown plain: colour is not worth a frame that stands still. */
const CODE_CHARS = 20_000

/** Code as coloured nodes, or null where its language is not known or it is long. */
export function highlighted(code: string, language: string): DocumentFragment | null {
  if (code.length > CODE_CHARS || hljs.getLanguage(language) === undefined) return null
  return safeCode(hljs.highlight(code, { language, ignoreIllegals: true }).value)
}
