/**
 * Words that a policy reads and writes as one token each. What must be known together to look something up is one word:
 * joining two tokens first costs the transformer a layer (docs/decisions/embedded-policy.md).
 */

/** Whole numbers of a closed interval. */
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

const PEOPLE = ['Al', 'Bo', 'Cy', 'Di', 'Ed', 'Fay', 'Gus']
const OBJECTS = ['bag', 'cup', 'hat', 'key', 'map', 'pen', 'toy', 'fan', 'jar', 'mug']

/**
 * What somebody holds is one token, as is a pair and a question: then a swap is one look-up for the pair, one for what
 * the other held. Word by word two layers did not learn it in 1.2 million tokens.
 */
export const TRACKING_WORDS: readonly string[] = [
  ...PEOPLE.flatMap((who) => OBJECTS.map((what) => `${who} ${what}`)),
  ...PEOPLE.flatMap((a) => PEOPLE.filter((b) => b !== a).map((b) => `${a}-${b}`)),
  ...PEOPLE.map((who) => `${who}?`),
  ...[...OBJECTS, ' swap', ', ', '. ', ': '],
]

/** Relations, the fixed parts of lines, and the syllables and endings of names: a name is two or three tokens. */
export const HOPWORLD_WORDS: readonly string[] = [
  ...['birthplace', 'employer', 'mentor', 'mayor', 'founder', 'headquarters'],
  ...['Name the ', ' of the ', ' of ', 'search: ', ' | ', 'found: ', 'nothing'],
  ...['ton', 'burg', 'dale', 'corp', 'tec', 'soft'],
  ...[...'bdfgklmnprstvz'].flatMap((onset) =>
    [...'aeiou'].flatMap((vowel) => [onset + vowel, onset.toUpperCase() + vowel]),
  ),
]

/** Values that are one token: programs of the first two levels rarely leave this range. */
const VALUES = range(-12, 30)

/** Numbers of lines, statements, and variables with their values are one token each. */
export const IMPERATIVE_WORDS: readonly string[] = [
  ...range(1, 12).flatMap((n) => [`${n}: `, `${n} `]),
  ...['x', 'y'].flatMap((to) => [
    ...['x', 'y'].flatMap((left) =>
      ['+', '-'].flatMap((operator) => ['x', 'y', ...range(1, 9)].map((right) => `${to}=${left}${operator}${right}`)),
    ),
    ...range(2, 9).map((n) => `${to}=${to}%${n}`),
    ...VALUES.map((n) => `${to}=${n}`),
  ]),
  ...VALUES.flatMap((n) => [String(n), ` y=${n}`]),
  ...['x', 'y'].flatMap((variable) => [
    `print ${variable}`,
    ...['<', '>'].flatMap((relation) => range(0, 9).map((n) => `${variable}${relation}${n}`)),
  ]),
  ...['prints ', 'while ', 'if ', 'else', 'yes', 'no', 'x=', 'y=', ' y=', ...range(0, 9).map(String)],
]

const ROWS = range(1, 3)
const ITEMS = ['pen', 'cup', 'hat', 'bag', 'map', 'jar', 'fan', 'toy']
const SHOPS = ['north', 'south', 'west']

/**
 * A filter, a cell with its row and column, what is selected with its aggregate, and a list of rows are one token each,
 * for tables of the first level.
 */
export const TABLE_WORDS: readonly string[] = [
  ...['<', '>'].flatMap((relation) => [
    ...range(2, 17).map((n) => `from goods | where price ${relation} ${n}`),
    ...range(1, 8).map((n) => `from goods | where stock ${relation} ${n}`),
  ]),
  ...SHOPS.map((shop) => `from goods | where shop = ${shop}`),
  ...['price', 'stock'].flatMap((column) =>
    ['sum', 'min', 'max', 'count'].map((aggregate) => ` | select ${column} | ${aggregate}`),
  ),
  ...ROWS.flatMap((row) => [
    ...ITEMS.map((item) => `; ${row} item ${item}`),
    ...SHOPS.map((shop) => `, ${row} shop ${shop}`),
    ...range(1, 20).map((n) => `, ${row} price ${n}`),
    ...range(0, 9).map((n) => `, ${row} stock ${n}`),
  ]),
  ...['1', '2', '3', '1 2', '1 3', '2 3', '1 2 3'].map((rows) => `rows ${rows}`),
  ...['values', 'none', 'sum', 'min', 'max', 'count'],
  ...range(0, 60).flatMap((n) => [` ${n}`, `=${n}`]),
]
