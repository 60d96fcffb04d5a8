import { commaRecords } from './delimited.ts'
import { hasHeader, type ProblemFormat, textOf } from './problem-format.ts'

/**
 * The Game of 24 puzzles of Tree of Thoughts, ranked by how hard people found them. They have no answer column: the
 * built-in task `game24`, whose form the prompts have, checks any expression.
 */
export const game24: ProblemFormat = {
  name: 'game24',
  summary: 'Game of 24 puzzles (Tree of Thoughts), easiest first',
  home: 'https://github.com/princeton-nlp/tree-of-thought-llm',
  licence: 'MIT',
  detect: (sample) => (hasHeader(sample, 'Rank,Puzzles,AMT (s),Solved rate,1-sigma Mean (s),1-sigma STD (s)') ? 1 : 0),
  read: (record, at) =>
    commaRecords(textOf(record, at)).map((row) => ({
      id: `game24/${row['Rank']}`,
      prompt: row['Puzzles'] ?? '',
      domain: 'game24',
    })),
}
