/**
 * Best answer among real models' solutions: `node bench/real-solutions.ts [--json]`.
 *
 * GSM8K test questions: the four models of `example_model_solutions`, the sixteen of ZeroEval, and the weaker eight of
 * those (by accuracy on the tune half). Everything is learnt and chosen on the tune half of the questions (five-fold
 * cross-validation inside it); figures, intervals and paired differences are of the report half.
 *
 * Features of a distinct answer: which models give it, how many, the sum of their log-odds and that of its best rival,
 * what the arithmetic verifier finds in their solutions, length, steps, share of the question's numbers that are used,
 * and form of the number.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { half, part } from '../src/core/split.ts'
import { bootstrap, type Estimate, mean, pairedBootstrap } from '../src/core/stats/index.ts'
import type { Step } from '../src/core/words.ts'
import { fitBoosting } from '../src/models/training/boosting.ts'
import { fitLogistic } from '../src/models/training/logistic.ts'
import type { Head, Rows } from '../src/models/training/rows.ts'
import { arithmetic } from '../src/worlds/verifiers/arithmetic.ts'

interface Solution {
  text: string
  answer: number | null
  right: boolean
}

interface Question {
  text: string
  half: 'tune' | 'report'
  /** One a model, in the order of `models`. */
  solutions: Solution[]
}

interface Pool {
  name: string
  models: string[]
  questions: Question[]
}

/** A distinct answer of a question. */
interface Answer {
  question: number
  right: boolean
  votes: number
  logOdds: number
  /** Which models give it. */
  voters: number[]
  all: number[]
}

const FOLDS = 5
const NO_CODE = { allowCode: false, allowLocalExec: false } as const
const root = process.env.GRADUS_DATA ?? resolve(import.meta.dirname, '../../shared/data')
const zeroeval = zeroEvalPool()
const pools = [gsm8kPool(), zeroeval, weakerHalf(zeroeval)]
const results = pools.map(measured)
if (process.argv.includes('--json')) console.log(JSON.stringify(results, null, 1))
else for (const result of results) print(result)

function measured(pool: Pool) {
  const { questions, models } = pool
  const answers = answersOf(pool)
  const numbers = { tune: [] as number[], report: [] as number[] }
  for (const [i, q] of questions.entries()) numbers[q.half].push(i)
  const single = models.map((_, m) => mean(numbers.tune.map((i) => Number(questions[i]!.solutions[m]!.right))))
  const best = single.indexOf(Math.max(...single))
  const learners: Record<string, (rows: Rows) => Head> = {
    'logistic, l2 1': (rows) => fitLogistic(rows, { l2: 1 }).head,
    'logistic, l2 10': (rows) => fitLogistic(rows, { l2: 10 }).head,
    boosting: (rows) => fitBoosting(rows, { trees: 60, leaves: 6, minRows: 20 }).head,
  }
  const onTune: Record<string, number> = {}
  const picks: Record<string, number[]> = {
    [`best single model (${models[best]})`]: questions.map((q) => Number(q.solutions[best]!.right)),
    majority: majorityOf(answers, questions.length),
    'majority, ties to the best voter': chosen(
      answers,
      questions.length,
      ({ votes, voters }) => votes + 1e-6 * Math.max(...weights(voters, single)),
    ),
    'log-odds vote': chosen(answers, questions.length, ({ logOdds }) => logOdds),
  }
  for (const view of ['voters', 'all'] as const) {
    for (const [learner, fit] of Object.entries(learners)) {
      const name = `${learner}, ${view === 'voters' ? 'votes' : 'votes and features'}`
      onTune[name] = crossValidated(answers, questions, view, fit)
      const head = fit(
        rowsOf(
          answers.filter((a) => questions[a.question]!.half === 'tune'),
          view,
        ),
      )
      const logits = head.logits(rowsOf(answers, view).features)
      picks[name] = chosen(answers, questions.length, (_, i) => logits[i]!)
    }
  }
  const winner = Object.entries(onTune).reduce((a, b) => (b[1] > a[1] ? b : a))[0]
  const own = (name: string): number[] => numbers.report.map((i) => picks[name]![i]!)
  const groups = numbers.report.map((_, i) => i)
  const shareOf = (values: readonly number[]) => (items: readonly number[]) => mean(items.map((i) => values[i]!))
  const less = (other: string): Estimate => pairedBootstrap(groups, shareOf(own(winner)), shareOf(own(other)))
  const [singleName] = Object.keys(picks) as [string]
  const ceiling = mean(numbers.report.map((i) => Number(questions[i]!.solutions.some((s) => s.right))))
  const [won, majority] = [mean(own(winner)), mean(own('majority'))]
  return {
    pool: pool.name,
    questions: { tune: numbers.tune.length, report: numbers.report.length },
    arms: Object.keys(picks).map((name) => ({
      name,
      onTune: onTune[name] ?? null,
      report: bootstrap(groups, shareOf(own(name))),
    })),
    ceiling,
    chosen: winner,
    lessSingle: less(singleName),
    lessMajority: less('majority'),
    headroom: (won - majority) / (ceiling - majority),
  }
}

function answersOf({ questions, models }: Pool): Answer[] {
  const tune = questions.filter((q) => q.half === 'tune')
  const odds = models.map((_, m) => {
    const p = mean(tune.map((q) => Number(q.solutions[m]!.right)))
    return Math.log(p / (1 - p))
  })
  return questions.flatMap((question, number) => {
    const groups = Map.groupBy(
      question.solutions.keys().filter((m) => question.solutions[m]!.answer !== null),
      (m) => question.solutions[m]!.answer!.toFixed(4),
    )
    const sums = [...groups.values()].map((own) => own.reduce((sum, m) => sum + odds[m]!, 0))
    return [...groups.values()].map((own, at): Answer => {
      const voters = models.map((_, m) => Number(own.includes(m)))
      const rival = Math.max(0, ...sums.filter((_, other) => other !== at))
      const counted = [own.length, sums[at]!, rival, sums[at]! - rival, groups.size]
      const pairs = models.length > 6 ? [] : voters.flatMap((v, i) => voters.slice(i + 1).map((w) => v * w))
      const votes = [...voters, ...pairs, ...counted]
      const texts = own.map((m) => textFeatures(question, question.solutions[m]!))
      const average = texts[0]!.map((_, c) => mean(texts.map((row) => row[c]!)))
      return {
        question: number,
        right: question.solutions[own[0]!]!.right,
        votes: own.length,
        logOdds: sums[at]!,
        voters: votes,
        all: [...votes, ...average, ...formOf(question, question.solutions[own[0]!]!.answer!)],
      }
    })
  })
}

function textFeatures({ text: question }: Question, { text }: Solution): number[] {
  const lines = text.split(/\n+|(?<=[.!?])\s+/).filter((line) => line.trim() !== '')
  const steps = lines.map((line): Step => ({ text: line, kind: 'thought' }))
  const source = { generator: '', dataset: '', licence: '' }
  const found = arithmetic.verify({ id: '', problem: { id: '', prompt: question }, steps, source }, NO_CODE)
  const verdicts = Array.isArray(found) ? found.map(({ verdict }) => verdict) : []
  const count = (verdict: string): number => verdicts.filter((v) => v === verdict).length
  const [asked, used] = [numbersIn(question), new Set(numbersIn(text))]
  const share = asked.filter((x) => used.has(x)).length / Math.max(1, asked.length)
  return [
    Number(count('incorrect') > 0),
    Math.min(3, count('incorrect')),
    count('correct'),
    text.length / 500,
    steps.length / 10,
    share,
  ]
}

function formOf({ text }: Question, answer: number): number[] {
  const numbers = numbersIn(text)
  return [
    Number(Number.isInteger(answer)),
    Number(answer <= 0),
    Math.log1p(Math.abs(answer)),
    Number(numbers.includes(answer)),
    text.length / 100,
    numbers.length,
  ]
}

function numbersIn(text: string): number[] {
  return [...text.replace(/(\d),(?=\d{3})/g, '$1').matchAll(/\d+(?:\.\d+)?/g)].map((m) => Number(m[0]))
}

/** Chance that the most voted answer is right, tied ones drawn from. */
function majorityOf(answers: readonly Answer[], questions: number): number[] {
  const shares = new Array<number>(questions).fill(0)
  for (const [question, own] of Map.groupBy(answers, (answer) => answer.question)) {
    const most = Math.max(...own.map(({ votes }) => votes))
    shares[question] = mean(own.filter(({ votes }) => votes === most).map(({ right }) => Number(right)))
  }
  return shares
}

function weights(voters: readonly number[], single: readonly number[]): number[] {
  return single.map((share, m) => (voters[m] === 1 ? share : 0))
}

function rowsOf(answers: readonly Answer[], view: 'voters' | 'all'): Rows {
  return {
    width: answers[0]![view].length,
    features: Float32Array.from(answers.flatMap((answer) => answer[view])),
    targets: Float32Array.from(answers, ({ right }) => Number(right)),
  }
}

/** Is the answer with the highest score right, for each question? Without any answer it is not. */
function chosen(answers: readonly Answer[], questions: number, score: (answer: Answer, i: number) => number): number[] {
  const best: ({ score: number; right: boolean } | undefined)[] = new Array(questions).fill(undefined)
  answers.forEach((answer, i) => {
    const own = score(answer, i)
    if (own > (best[answer.question]?.score ?? Number.NEGATIVE_INFINITY)) {
      best[answer.question] = { score: own, right: answer.right }
    }
  })
  return best.map((one) => Number(one?.right ?? false))
}

/** Share right on the tune half, each fold by what the others teach. */
function crossValidated(
  answers: readonly Answer[],
  questions: readonly Question[],
  view: 'voters' | 'all',
  fit: (rows: Rows) => Head,
): number {
  const tune = answers.filter(({ question }) => questions[question]!.half === 'tune')
  let right = 0
  for (let fold = 0; fold < FOLDS; fold++) {
    const out = ({ question }: Answer): boolean => part(questions[question]!.text, FOLDS) === fold
    const held = tune.filter(out)
    const logits = fit(
      rowsOf(
        tune.filter((a) => !out(a)),
        view,
      ),
    ).logits(rowsOf(held, view).features)
    right += chosen(held, questions.length, (_, i) => logits[i]!).reduce((a, b) => a + b, 0)
  }
  return right / questions.filter((q) => q.half === 'tune').length
}

function gsm8kPool(): Pool {
  const models = ['6b_finetuning', '6b_verification', '175b_finetuning', '175b_verification']
  const text = gunzipSync(readFileSync(join(root, 'gsm8k', 'example_model_solutions.jsonl.gz'))).toString()
  const questions = text
    .trim()
    .split('\n')
    .map((line): Question => {
      const row = JSON.parse(line) as { question: string } & Record<string, { solution: string; is_correct: boolean }>
      const solutions = models.map((model): Solution => {
        const { solution, is_correct: right } = row[model]!
        return { text: solution, right, answer: numberOf(solution.split('A: ')[1] ?? '') }
      })
      return { text: row.question, half: half(row.question), solutions }
    })
  return { name: 'gsm8k/example_model_solutions', models, questions }
}

function zeroEvalPool(): Pool {
  const folder = join(root, 'zeroeval-model-outputs', 'gsm')
  const files = readdirSync(folder).filter((file) => file.endsWith('.json.gz'))
  const byQuestion = new Map<string, Question>()
  for (const [m, file] of files.entries()) {
    const rows = JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString()) as {
      question: string
      output: string[]
      answer: string
    }[]
    for (const { question, output, answer: gold } of rows) {
      const known = byQuestion.get(question) ?? { text: question, half: half(question), solutions: [] }
      byQuestion.set(question, known)
      const text = output[0] ?? ''
      // The last `"answer": ...` of the JSON that was asked for, also where the rest of it does not parse.
      const answer = numberOf([...text.matchAll(/"answer"\s*:\s*("(?:[^"\\]|\\.)*"|[^,}\n]+)/g)].at(-1)?.[1] ?? '')
      known.solutions[m] = {
        text,
        answer,
        right: answer !== null && Math.abs(answer - (numberOf(gold) ?? Number.NaN)) < 1e-6,
      }
    }
  }
  const models = files.map((file) => file.replace('.json.gz', ''))
  const questions = [...byQuestion.values()].filter(({ solutions }) =>
    models.every((_, m) => solutions[m] !== undefined),
  )
  return { name: 'zeroeval-model-outputs, GSM', models, questions }
}

function weakerHalf({ models, questions }: Pool): Pool {
  const tune = questions.filter((q) => q.half === 'tune')
  const share = (m: number): number => mean(tune.map((q) => Number(q.solutions[m]!.right)))
  const order = [...models.keys()].sort((a, b) => share(a) - share(b)).slice(0, models.length / 2)
  return {
    name: 'zeroeval-model-outputs, GSM, weaker half of the models',
    models: order.map((m) => models[m]!),
    questions: questions.map((q) => ({ ...q, solutions: order.map((m) => q.solutions[m]!) })),
  }
}

function numberOf(text: string): number | null {
  const found = /-?\d+(?:\.\d+)?/.exec(text.replace(/[,$]/g, ''))
  return found ? Number(found[0]) : null
}

function print({
  pool,
  questions,
  arms,
  ceiling,
  chosen: name,
  lessSingle,
  lessMajority,
  headroom,
}: ReturnType<typeof measured>): void {
  const shown = ({ value, low, high }: Estimate): string =>
    `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`
  console.log(`\n${pool}   ${questions.tune} questions to learn from, ${questions.report} reported`)
  for (const arm of arms) {
    const tune = arm.onTune === null ? '' : `   ${arm.onTune.toFixed(4)} on the tune half`
    console.log(`  ${arm.name.padEnd(46)} ${shown(arm.report)}${tune}`)
  }
  console.log(`  any right (ceiling)                            ${ceiling.toFixed(4)}`)
  console.log(`  chosen on the tune half: ${name}`)
  console.log(`    less the best single model   ${shown(lessSingle)}`)
  console.log(`    less majority                ${shown(lessMajority)}   share of the headroom ${headroom.toFixed(2)}`)
}
