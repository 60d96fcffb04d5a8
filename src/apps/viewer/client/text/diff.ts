export type LineKind = 'add' | 'remove' | 'hunk' | 'head' | 'same'

export interface DiffLine {
  kind: LineKind
  text: string
}

/** A unified diff: a file header or a hunk header among its first lines. */
export function isDiff(text: string): boolean {
  return /^(?:diff --git |--- .*\n\+\+\+ |@@ -\d+(?:,\d+)? \+\d+)/m.test(text.slice(0, 2_000))
}

/** Each line by what it does. `---` and `+++` are headers only before a hunk, so that a removed `-- x` stays one. */
export function diffLines(text: string): DiffLine[] {
  let inHunk = false
  return text.split('\n').map((line) => {
    if (line.startsWith('@@')) {
      inHunk = true
      return { kind: 'hunk', text: line }
    }
    if (/^(?:diff |index |new file|deleted file|similarity |rename |old mode|new mode)/.test(line)) {
      inHunk = false
      return { kind: 'head', text: line }
    }
    if (!inHunk && /^(?:---|\+\+\+) /.test(line)) return { kind: 'head', text: line }
    const kind = line.startsWith('+') ? 'add' : line.startsWith('-') ? 'remove' : 'same'
    return { kind, text: line }
  })
}
