import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { CATALOGUE, type Room } from '../src/apps/catalogue.ts'
import { ERROR_CODES } from '../src/core/errors.ts'

/** Pages made from the code, by path below the project's folder. */
export function pages(): Record<string, string> {
  const formats = CATALOGUE.find((r) => r.name === 'formats')
  return {
    'docs/errors.md': errorsPage(),
    'docs/formats.md': formats ? formatsPage(formats) : '',
    'docs/methods.md': methodsPage(CATALOGUE.filter((r) => r.name !== 'formats')),
  }
}

const MADE = '<!-- made by scripts/docs.ts from the code; do not edit -->\n\n'

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, title]) => `| \`${code}\` | ${title} |`)
  return `${MADE}# Errors

Every error says its code, what was found, what was expected, where, and what to do. Codes never change their meaning.
With \`--json\` the same comes as one JSON object on standard error. Exit codes: 0 done, 1 the run failed, 2 usage or
unreadable input, 3 finished but items were left out, 130 interrupted.

| code | what is wrong |
|---|---|
${rows.join('\n')}
`
}

function formatsPage(room: Room): string {
  const rows = room.methods.map(
    (m) =>
      `| \`${m.name}\` | ${m.summary} | ${'write' in m && m.write !== undefined ? 'yes' : 'no'} | ${m.home === undefined || m.home === '' ? '' : `<${m.home}>`} |`,
  )
  return `${MADE}# Formats

A file's format is recognised by its content; \`--format\` names it where that fails. Gzip is recognised by its bytes,
Parquet by its magic number, JSON Lines, JSON arrays and JSON documents by what stands in them. \`gradus convert FILE --to
NAME -o OUT\` writes another format; a trace that it cannot hold is left out and counted.

| name | what | written | home |
|---|---|---|---|
${rows.join('\n')}
`
}

function methodsPage(rooms: readonly Room[]): string {
  return `${MADE}# Methods\n\n${rooms.map(roomSection).join('\n')}`
}

function roomSection(room: Room): string {
  return `## ${room.name}\n*${room.question}*\n\n${room.methods.map(methodEntry).join('\n')}\n`
}

function methodEntry(m: Room['methods'][number]): string {
  const options = Object.entries(m.options?.shape ?? {}).map(
    ([name, field]) => `  - \`${name}\`: ${(field as z.ZodType).description ?? ''}`,
  )
  const paper = m.paper === undefined ? '' : ` (paper: ${m.paper})`
  const covers = m.covers === undefined ? '' : ` Covers ${m.covers}.`
  return [`- **\`${m.name}\`**: ${m.summary}.${covers}${paper}`, ...options].join('\n')
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(pages())) await writeFile(join(import.meta.dirname, '..', path), text)
}
