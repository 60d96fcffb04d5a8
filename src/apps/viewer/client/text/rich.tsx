import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { diffLines, isDiff } from './diff.ts'
import { marks } from './marks.ts'
import { type Piece, pieces } from './pieces.ts'
import { typesetter } from './typeset.ts'

/** Text of a trace with hidden characters named; never markup. */
export function Plain({ text }: { text: string }) {
  const parts = marks(text)
  if (parts.length === 1) return <>{text}</>
  return (
    <>
      {parts.map((part, i) =>
        i % 2 === 0 ? (
          part
        ) : (
          <span key={i} class="hidden-character" title="hidden character">
            {part}
          </span>
        ),
      )}
    </>
  )
}

/** Prose with formulas and code. */
export function Rich({ text }: { text: string }) {
  const parts = useMemo(() => pieces(text), [text])
  return (
    <div class="rich" dir="auto">
      {parts.map((piece, i) => (
        <PieceView key={i} piece={piece} after={parts[i - 1]} />
      ))}
    </div>
  )
}

function PieceView({ piece, after }: { piece: Piece; after: Piece | undefined }) {
  switch (piece.kind) {
    case 'text':
      // A block ends its line by itself; the line feed behind it would add an empty one.
      return <Plain text={after !== undefined && isBlock(after) ? piece.source.replace(/^\n/, '') : piece.source} />
    case 'strong':
      return (
        <strong>
          <Plain text={piece.text} />
        </strong>
      )
    case 'code':
      return (
        <code>
          <Plain text={piece.text} />
        </code>
      )
    case 'block':
      return <Code code={piece.text} language={piece.language} />
    case 'math':
      return <Formula tex={piece.tex} display={piece.display} source={piece.source} />
  }
}

function isBlock(piece: Piece): boolean {
  return piece.kind === 'block' || (piece.kind === 'math' && piece.display)
}

function Formula({ tex, display, source }: { tex: string; display: boolean; source: string }) {
  const set = typesetter.value
  const place = useRef<HTMLSpanElement>(null)
  const nodes = useMemo(() => set?.mathNodes(tex, display) ?? null, [set, tex, display])
  useLayoutEffect(() => {
    const at = place.current
    if (nodes === null || at === null) return
    at.replaceChildren(nodes)
    // One that is too wide scrolls, so it must be reachable by keyboard.
    if (display && at.scrollWidth > at.clientWidth) at.tabIndex = 0
  }, [nodes])
  if (nodes === null) {
    return (
      <code class="tex">
        <Plain text={source} />
      </code>
    )
  }
  return <span key="set" ref={place} class={display ? 'formula display' : 'formula'} title={source} />
}

/** A block of code, coloured by its language; a diff by its lines. */
export function Code({ code, language }: { code: string; language: string }) {
  const set = typesetter.value
  const place = useRef<HTMLElement>(null)
  const diff = language === 'diff' || language === 'patch' || isDiff(code)
  const hidden = marks(code).length > 1
  // Coloured code is built from the text as it is; where characters hide in it, it stays plain so that they are seen.
  const nodes = useMemo(
    () => (diff || hidden ? null : (set?.highlighted(code, language) ?? null)),
    [set, code, language, diff, hidden],
  )
  useLayoutEffect(() => {
    if (nodes !== null) place.current?.replaceChildren(nodes)
  }, [nodes])
  if (diff) return <Diff text={code} />
  return (
    <pre class="code" dir="ltr">
      {nodes === null ? (
        <code key="plain">
          <Plain text={code} />
        </code>
      ) : (
        <code key="set" ref={place} />
      )}
    </pre>
  )
}

function Diff({ text }: { text: string }) {
  return (
    <pre class="code diff" dir="ltr">
      {diffLines(text).map((line, i) => (
        <div key={i} class={line.kind}>
          <Plain text={line.text === '' ? ' ' : line.text} />
        </div>
      ))}
    </pre>
  )
}
