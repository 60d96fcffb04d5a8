/** How quotes inside a quoted cell are written: doubled (RFC 4180) or behind a backslash. */
type Quotes = 'doubled' | 'backslash'

/**
 * Rows of comma-separated text; cells in quotes may hold commas, line breaks and quotes. An empty last line is no row.
 * An unclosed quote runs to the end of the text.
 */
export function commaRows(text: string, quotes: Quotes = 'doubled'): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  const endRow = (): void => {
    row.push(cell)
    rows.push(row)
    row = []
    cell = ''
  }
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? ''
    if (quoted) {
      if (quotes === 'backslash' && c === '\\' && i + 1 < text.length) cell += text[++i]
      else if (c !== '"') cell += c
      else if (quotes === 'doubled' && text[i + 1] === '"') cell += text[++i]
      else quoted = false
    } else if (c === '"' && cell === '') quoted = true
    else if (c === ',') {
      row.push(cell)
      cell = ''
    } else if (c === '\n') endRow()
    else if (c !== '\r' || text[i + 1] !== '\n') cell += c
  }
  if (cell !== '' || row.length > 0) endRow()
  return rows
}

/** Rows as records by the header. */
export function commaRecords(text: string): Record<string, string>[] {
  const [header = [], ...rows] = commaRows(text)
  return rows.map((row) => Object.fromEntries(header.map((name, c) => [name, row[c] ?? ''])))
}
