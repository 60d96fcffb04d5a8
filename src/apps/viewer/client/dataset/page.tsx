import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Field } from '../../filters.ts'
import type { Facet, Row } from '../api.generated.ts'
import { useKeys } from '../keys.tsx'
import { Empty, FirstWrong, Outcome, Trouble, Waiting } from '../parts/bits.tsx'
import { RiskStrip } from '../parts/risk-strip.tsx'
import { useVirtual } from '../parts/virtual.ts'
import { count, counted, share } from '../parts/words.ts'
import { formatRoute } from '../route.ts'
import { get } from '../server.ts'
import { go, lastList, route, session } from '../state.ts'
import { Plain } from '../text/rich.tsx'
import { useAnswer } from '../use-answer.ts'
import { FacetPanel } from './facets.tsx'
import {
  conditionText,
  fieldName,
  type ListQuery,
  nextSort,
  readQuery,
  setCondition,
  writeQuery,
} from './list-query.ts'
import { useRows } from './rows.ts'

const ROW_HEIGHT = 33
/** Rows drawn beyond the visible ones, on either side. */
const OVERSCAN = 6
/** Characters of an id that its column holds. */
const ID_CHARS = 10
/** A pause in typing after which the search is made. */
const TYPING_MS = 120

interface Column {
  field: Field
  title: string
  /** Shown although all traces are alike in it. */
  always?: boolean
  cell: (row: Row) => preact.ComponentChildren
}

const COLUMNS: readonly Column[] = [
  { field: 'id', title: 'Id', always: true, cell: (row) => <Plain text={endOf(row.id)} /> },
  { field: 'problem', title: 'Problem', always: true, cell: problemCell },
  { field: 'generator', title: 'Generator', cell: (row) => <Plain text={row.generator} /> },
  { field: 'dataset', title: 'Data set', cell: (row) => <Plain text={row.dataset} /> },
  { field: 'task', title: 'Task', cell: (row) => <Plain text={row.task} /> },
  { field: 'steps', title: 'Steps', always: true, cell: (row) => count(row.steps) },
  { field: 'outcome', title: 'Outcome', cell: (row) => <Outcome value={row.outcome} /> },
  { field: 'firstError', title: 'First wrong', cell: (row) => <FirstWrong value={row.firstError} /> },
  { field: 'gold', title: 'Gold', cell: (row) => <FirstWrong value={row.gold} /> },
  {
    field: 'maxRisk',
    title: 'Risk by step',
    cell: (row) => <RiskStrip risk={row.risk} first={row.firstError} steps={row.steps} width={120} height={20} />,
  },
  {
    field: 'disagreement',
    title: 'Disagree',
    cell: (row) => (row.disagreement === null ? '' : share(row.disagreement)),
  },
  { field: 'doubt', title: 'Doubt', cell: (row) => share(row.doubt) },
  {
    field: 'tags',
    title: 'Tags',
    cell: (row) =>
      row.tags.map((tag) => (
        <span key={tag} class="tag">
          <Plain text={tag} />
        </span>
      )),
  },
]

const NO_FACETS: readonly Facet[] = []

/** Every trace of the data set that fits, as many as there are. */
export function DatasetPage() {
  const query = readQuery(route.value.query)
  const version = session.value?.version ?? null
  const reading = session.value?.indexing.finished === false
  // Counting values takes the server longer than the first rows: these come first.
  const [seen, setSeen] = useState(false)
  const facets = useAnswer(seen ? `facets ${reading ? 'reading' : version}` : null, async () => {
    return (await get('/api/facets', {})).facets
  })
  // What is typed arrives late: it must not undo what was chosen in between.
  const update = (to: Partial<ListQuery>): void => {
    go(['traces'], writeQuery({ ...readQuery(route.peek().query), ...to }), 'replace')
  }
  useEffect(() => {
    lastList.value = writeQuery(query)
  })
  return (
    <div class="dataset-page">
      <FacetPanel facets={facets.value ?? NO_FACETS} query={query} update={update} />
      <section class="list" aria-label="Traces">
        <SearchBar query={query} update={update} />
        <TraceTable
          query={query}
          update={update}
          version={version}
          facets={facets.value ?? NO_FACETS}
          onRows={() => setSeen(true)}
        />
      </section>
    </div>
  )
}

interface ListProps {
  query: ListQuery
  update: (to: Partial<ListQuery>) => void
}

function SearchBar({ query, update }: ListProps) {
  const [text, setText] = useState(query.q)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => setText(query.q), [query.q])
  useKeys('Search', [{ keys: ['/'], does: 'search all texts', run: () => field.current?.select() }])
  return (
    <div class="search-bar">
      <input
        ref={field}
        type="search"
        value={text}
        placeholder="Search problems, steps, ids, answers   ( / )"
        aria-label="Search all texts"
        onInput={(e) => {
          const q = e.currentTarget.value
          setText(q)
          clearTimeout(timer.current)
          timer.current = setTimeout(() => update({ q }), TYPING_MS)
        }}
      />
      {query.conditions.map((c) => (
        <button
          type="button"
          key={`${c.field} ${c.op}`}
          class="condition"
          aria-label={`Remove filter: ${conditionText(c)}`}
          onClick={() => update({ conditions: setCondition(query.conditions, c.field, c.op, null) })}
        >
          {conditionText(c)} <span aria-hidden="true">×</span>
        </button>
      ))}
    </div>
  )
}

interface TableProps extends ListProps {
  /** null = not known yet; nothing is asked before. */
  version: number | null
  facets: readonly Facet[]
  /** Called when there are rows to see. */
  onRows: () => void
}

function TraceTable({ query, update, version, facets, onRows }: TableProps) {
  const scroll = useRef<HTMLDivElement>(null)
  const inSight = useRef<[number, number]>([0, 0])
  const params = writeQuery(query)
  const pages = useRows(params, version, inSight)
  const [selected, setSelected] = useState(0)
  const total = pages?.total ?? 0
  const virtual = useVirtual(scroll, { count: total, estimate: () => ROW_HEIGHT, overscan: OVERSCAN })
  const drawn = Math.ceil((virtual.scrollRect?.height ?? 0) / ROW_HEIGHT) + 2 * OVERSCAN + 2
  const items = virtual.getVirtualItems()
  const columns = useMemo(
    () => COLUMNS.filter((c) => c.always === true || says(facets.find((f) => f.field === c.field))),
    [facets],
  )
  inSight.current = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0]
  useEffect(() => pages?.want(...inSight.current))
  useEffect(() => {
    if (pages !== null) onRows()
  }, [pages === null])
  useLayoutEffect(() => {
    setSelected(0)
    scroll.current?.scrollTo({ top: 0 })
  }, [JSON.stringify(params)])

  const open = (index: number): void => {
    const row = pages?.row(index)
    if (row !== undefined) go(['trace', row.at], { pos: index })
  }
  const select = (index: number): void => {
    const to = Math.min(Math.max(index, 0), total - 1)
    setSelected(to)
    virtual.scrollToIndex(to, { align: 'auto' })
    scroll.current?.focus({ preventScroll: true })
  }
  const height = Math.floor((scroll.current?.clientHeight ?? 600) / ROW_HEIGHT) - 2
  useKeys('List of traces', [
    { keys: ['j', 'ArrowDown'], does: 'next trace', run: () => select(selected + 1) },
    { keys: ['k', 'ArrowUp'], does: 'previous trace', run: () => select(selected - 1) },
    { keys: ['PageDown'], does: 'a page down', run: () => select(selected + height) },
    { keys: ['PageUp'], does: 'a page up', run: () => select(selected - height) },
    { keys: ['Home'], does: 'first trace', run: () => select(0) },
    { keys: ['End'], does: 'last trace', run: () => select(total - 1) },
    { keys: ['Enter', 'o'], does: 'open the trace', run: () => open(selected) },
  ])

  if (pages?.refused != null) return <Trouble refused={pages.refused} />
  return (
    <>
      <p class="total" role="status">
        {pages === null ? '' : counted(total, 'trace')}
        <Reading />
      </p>
      <div
        ref={scroll}
        class="table"
        role="grid"
        tabIndex={0}
        aria-label="Traces"
        aria-rowcount={total + 1}
        aria-activedescendant={total > 0 ? `row-${selected}` : undefined}
      >
        <div class="row head" role="row" aria-rowindex={1}>
          {columns.map((c) => (
            <HeadCell key={c.field} column={c} query={query} update={update} />
          ))}
        </div>
        {pages === null && <Waiting />}
        {pages !== null && total === 0 && <Empty>No trace fits.</Empty>}
        <div class="rows" role="rowgroup" style={{ height: `${virtual.getTotalSize()}px` }}>
          {items.map((item) => (
            <TableRow
              // Rows that leave the view come back as those that enter it: new text in old elements is cheapest.
              key={item.index % drawn}
              index={item.index}
              top={item.start}
              row={pages?.row(item.index)}
              columns={columns}
              selected={item.index === selected}
              onOpen={() => open(item.index)}
            />
          ))}
        </div>
      </div>
    </>
  )
}

function HeadCell({ column, query, update }: ListProps & { column: Column }) {
  const { field, title } = column
  const direction = query.sort === field ? 'ascending' : query.sort === `-${field}` ? 'descending' : 'none'
  const arrow = { ascending: '↑', descending: '↓', none: '' }[direction]
  return (
    <div class={`cell of-${field}`} role="columnheader" aria-sort={direction}>
      <button
        type="button"
        title={`Sort by ${fieldName(field).toLowerCase()}`}
        onClick={() => update({ sort: nextSort(query.sort, field) })}
      >
        {title} <span aria-hidden="true">{arrow}</span>
      </button>
    </div>
  )
}

interface TableRowProps {
  index: number
  top: number
  row: Row | undefined
  columns: readonly Column[]
  selected: boolean
  onOpen: () => void
}

function TableRow({ index, top, row, columns, selected, onOpen }: TableRowProps) {
  // Equal cells are the same object, which is not compared again while the list scrolls.
  const cells = useMemo(
    () =>
      columns.map((c) => (
        <div key={c.field} class={`cell of-${c.field}`} role="gridcell">
          {row === undefined ? (c.field === 'id' ? `${index + 1} …` : '') : c.cell(row)}
        </div>
      )),
    [columns, row, row === undefined ? index : 0],
  )
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter opens the selected row of the grid
    <div
      id={`row-${index}`}
      class={selected ? 'row selected' : 'row'}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      style={{ transform: `translateY(${top}px)` }}
      onClick={(e) => {
        if (!e.ctrlKey && !e.metaKey) {
          e.preventDefault()
          onOpen()
        }
      }}
    >
      {cells}
    </div>
  )
}

/** Ids of one set differ at their ends. */
function endOf(id: string): string {
  return id.length > ID_CHARS ? `…${id.slice(1 - ID_CHARS)}` : id
}

/** A link, so that it can be opened beside the list. */
function problemCell(row: Row) {
  return (
    <a href={formatRoute(['trace', row.at])} tabIndex={-1} dir="auto">
      <Plain text={row.problem} />
    </a>
  )
}

/** How far the file is read, while it is. */
function Reading() {
  const state = session.value?.indexing
  if (state === undefined || state.finished) return null
  const part = state.share === null ? '' : ` · ${Math.floor(state.share * 100)} %`
  return <span class="soft"> so far; reading on {part}</span>
}

/** A column that is empty, or has the same word in each row, takes room and says nothing. */
function says(facet: Facet | undefined): boolean {
  if (facet === undefined) return false
  return facet.kind === 'number' ? facet.min !== null : facet.values.length > 1
}
