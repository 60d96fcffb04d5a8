import { Plain } from '../text/rich.tsx'

interface Props {
  header: readonly string[]
  rows: readonly (readonly (string | number | null)[])[]
  /** Rows that are shown. */
  most: number
}

/** A table of texts and numbers; what is missing is a dash. */
export function Cells({ header, rows, most }: Props) {
  return (
    <table>
      <thead>
        <tr>
          {header.map((name) => (
            <th key={name} scope="col">
              <Plain text={name} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, most).map((row, r) => (
          <tr key={r}>
            {row.map((value, c) => (
              <td key={header[c]} class={typeof value === 'number' ? 'figure' : ''}>
                {value === null ? '–' : typeof value === 'number' ? numberText(value) : <Plain text={value} />}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Four digits are enough to read; the data have all. */
function numberText(value: number): string {
  return new Intl.NumberFormat('en', { maximumSignificantDigits: 4 }).format(value)
}
