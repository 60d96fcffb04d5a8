import type { Context, Problem } from '../../../../core/words.ts'
import { Cells } from '../parts/cells.tsx'
import { counted } from '../parts/words.ts'
import { Code, Plain, Rich } from '../text/rich.tsx'
import { useFold } from './folds.ts'
import { LongText } from './long-text.tsx'

interface Props {
  problem: Problem
  /** Addresses of images on this server; null = not inside the data folder. */
  images: readonly (string | null)[]
}

/** What was asked, with its answer, its reference and its context folded. */
export function ProblemView({ problem, images }: Props) {
  return (
    <section class="problem" aria-label="Problem">
      <LongText text={problem.prompt} pointer="/problem/prompt" as="prose" />
      {images.map((src, i) => (
        <Picture key={src ?? i} src={src} name={imageName(problem, i)} />
      ))}
      {problem.answer !== undefined && (
        <Folded name="answer" title="expected answer">
          <Rich text={problem.answer} />
        </Folded>
      )}
      {problem.solution !== undefined && problem.solution.length > 0 && (
        <Folded name="solution" title={`reference solution, ${counted(problem.solution.length, 'step')}`}>
          <ol>
            {problem.solution.map((text, i) => (
              <li key={i}>
                <Rich text={text} />
              </li>
            ))}
          </ol>
        </Folded>
      )}
      {problem.context?.map((context, i) =>
        context.kind === 'images' ? null : (
          <Folded key={i} name={`context ${i}`} title={contextTitle(context)}>
            <ContextView context={context} />
          </Folded>
        ),
      )}
    </section>
  )
}

function Folded({ name, title, children }: { name: string; title: string; children: preact.ComponentChildren }) {
  const [open, setOpen] = useFold(name)
  return (
    <details open={open === 1} onToggle={(e) => setOpen(e.currentTarget.open ? 1 : 0)}>
      <summary class="soft">{title}</summary>
      {open === 1 && children}
    </details>
  )
}

/** What may be drawn: pictures of this server, and pictures of dots that stand in the data themselves. */
const DRAWN = /^(?:\/api\/traces\/\d+\/images\/\d+$|data:image\/(?:png|jpeg|gif|webp|avif);base64,)/

function Picture({ src, name }: { src: string | null; name: string }) {
  if (src === null || !DRAWN.test(src)) {
    return (
      <p class="soft">
        image <Plain text={name} />, which is not shown: it is not in the data folder
      </p>
    )
  }
  return <img src={src} alt={name} loading="lazy" />
}

function imageName(problem: Problem, index: number): string {
  const images = (problem.context ?? []).flatMap((c) => (c.kind === 'images' ? c.images : []))
  const path = images[index]?.path ?? ''
  return path === '' || path.startsWith('data:') ? String(index + 1) : path.slice(0, 200)
}

function contextTitle(context: Context): string {
  switch (context.kind) {
    case 'documents':
      return counted(context.documents.length, 'document')
    case 'table':
      return `table, ${counted(context.rows.length, 'row')}`
    case 'graph':
      return `knowledge graph, ${counted(context.triples.length, 'triple')}`
    case 'repository':
      return 'repository'
    case 'tools':
      return counted(context.tools.length, 'tool')
    case 'tests':
      return 'tests'
    case 'images':
      return counted(context.images.length, 'image')
  }
}

/** Rows of a table or graph that are shown. */
const MOST_ROWS = 200

function ContextView({ context }: { context: Context }) {
  switch (context.kind) {
    case 'documents':
      return (
        <dl>
          {context.documents.map((d) => (
            <div key={d.id}>
              <dt>
                <Plain text={d.id} />
              </dt>
              <dd>
                <Rich text={d.text.slice(0, 20_000)} />
              </dd>
            </div>
          ))}
        </dl>
      )
    case 'table':
      return <Cells header={context.header} rows={context.rows} most={MOST_ROWS} />
    case 'graph':
      return <Cells header={['subject', 'relation', 'object']} rows={context.triples} most={MOST_ROWS} />
    case 'tests':
      return <Code code={context.code} language={context.language} />
    case 'tools':
      return <Code code={JSON.stringify(context.tools, null, 2).slice(0, 20_000)} language="json" />
    case 'repository':
      return (
        <p>
          <Plain text={`${context.root} ${context.commit ?? ''}`} />
        </p>
      )
    case 'images':
      return null
  }
}
