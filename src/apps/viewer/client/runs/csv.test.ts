import { expect, it } from 'vitest'
import { csv } from './csv.ts'

it('quotes what needs it, keeps numbers exact and lets no cell become a formula', () => {
  const rows = [
    ['plain', 0.1, null],
    ['a "b", c', -3, '=HYPERLINK("http://x")'],
  ]
  expect(csv({ columns: ['name', 'value', 'note'], rows })).toBe(
    'name,value,note\r\nplain,0.1,\r\n"a ""b"", c",-3,"\'=HYPERLINK(""http://x"")"',
  )
})
