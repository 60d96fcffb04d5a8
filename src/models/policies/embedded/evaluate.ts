import type { Problem } from '../../../core/words.ts'
import { heldOutProblems, type Lesson, renderPrompt } from './lessons.ts'
import type { EmbeddedModel } from './model.ts'

/** How often a policy solves unseen problems of a level. */
export interface PassRates {
  task: string
  level: number
  problems: number
  /** Samples a problem. */
  samples: number
  /** Share of right samples, and its standard error over problems. */
  passAt1: number
  standardError: number
  /** Share of problems with a right sample among `samples`. */
  passAtN: number
  /** Share of samples without an answer. */
  noAnswer: number
}

export interface PassOptions {
  seed: string
  problems: number
  /** Samples a problem. */
  samples: number
}

/** What is needed of a model. */
type Drawing = Pick<EmbeddedModel, 'generate' | 'config' | 'tokenizer'>

/** Samples whole solutions of held-out problems at temperature 1 and checks their answers. */
export async function passRates(
  model: Drawing,
  lesson: Lesson,
  level: number,
  { seed, problems: count, samples }: PassOptions,
): Promise<PassRates> {
  const { task } = lesson
  const runs = heldOutProblems(task, level, seed, count).map((problem) =>
    Array.from({ length: samples }, (_, i): Run => {
      return { problem, seed: `${seed}/${problem.id}/${i}`, text: `${renderPrompt(lesson.mark, problem)}\n`, steps: [] }
    }),
  )
  await (lesson.reply ? playOut(model, lesson, runs.flat()) : writeOut(model, runs.flat()))
  let noAnswer = 0
  const rates = runs.map((own) => {
    const right = own.filter(({ problem, steps }) => {
      const answer = task.answerOf(steps)
      if (answer === null) noAnswer++
      return answer !== null && task.check(problem, answer)
    })
    return right.length / samples
  })
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / Math.max(1, rates.length - 1)
  return {
    task: task.name,
    level,
    problems: runs.length,
    samples,
    passAt1: mean,
    standardError: Math.sqrt(variance / rates.length),
    passAtN: rates.filter((rate) => rate > 0).length / rates.length,
    noAnswer: noAnswer / runs.flat().length,
  }
}

interface Run {
  problem: Problem
  seed: string
  /** All that the model has read and written. */
  text: string
  steps: string[]
}

async function writeOut(model: Drawing, runs: readonly Run[]): Promise<void> {
  const samples = await model.generate({
    prompts: runs.map((run) => run.text),
    seeds: runs.map((run) => run.seed),
    maxTokens: model.config.context,
  })
  samples.forEach(({ text }, i) => {
    runs[i]?.steps.push(...text.split('\n'))
  })
}

/** Line by line, with the environment's line after each that asks for one. */
async function playOut(model: Drawing, { reply }: Lesson, all: readonly Run[]): Promise<void> {
  let runs = [...all]
  // Its reply may take the last room, so a run is over when the text of one more line could not be read.
  while (runs.length > 0) {
    const samples = await model.generate({
      prompts: runs.map((run) => run.text),
      seeds: runs.map((run) => `${run.seed}/${run.steps.length}`),
      stop: ['\n'],
      maxTokens: model.config.context,
    })
    runs = runs.filter((run, i) => {
      const sample = samples[i]
      if (!sample) return false
      run.steps.push(sample.text)
      const answer = reply?.(run.problem, sample.text) ?? null
      if (answer !== null) run.steps.push(answer)
      run.text += `${sample.text}\n${answer === null ? '' : `${answer}\n`}`
      return sample.finish === 'stop' && model.tokenizer.encode(run.text).length + 1 < model.config.context
    })
  }
}
