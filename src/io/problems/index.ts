import { aqua } from './aqua.ts'
import { cruxeval } from './cruxeval.ts'
import { game24 } from './game24.ts'
import { gsm8k } from './gsm8k.ts'
import { hotpotqa } from './hotpotqa.ts'
import { humanEval } from './human-eval.ts'
import { math } from './math.ts'
import { mawps } from './mawps.ts'
import { mbpp } from './mbpp.ts'

import { native } from './native.ts'
import { nl4opt } from './nl4opt.ts'
import type { ProblemFormat } from './problem-format.ts'
import { strategyqa } from './strategyqa.ts'
import { svamp } from './svamp.ts'
import { wikiTableQuestions } from './wiki-table-questions.ts'

/** Formats of problem files. */
export const PROBLEM_FORMATS: readonly ProblemFormat[] = [
  native,
  gsm8k,
  math,
  game24,
  svamp,
  mawps,
  aqua,
  mbpp,
  humanEval,
  cruxeval,
  nl4opt,
  hotpotqa,
  strategyqa,
  wikiTableQuestions,
]
