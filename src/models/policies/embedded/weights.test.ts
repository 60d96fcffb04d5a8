import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { game24 } from '../../../worlds/tasks/game24.ts'
import { tableProgram } from '../../../worlds/tasks/table-program.ts'
import { splitter } from '../../training/transformer/tokenizer.ts'
import { readCard, weightsFolder } from './cards.ts'
import { passRates } from './evaluate.ts'
import { heldOutProblems, isHeldOut, lessonsOf, renderPrompt, toExample } from './lessons.ts'
import { type LoadedModel, loadEmbedded } from './load.ts'
import { RECIPES } from './recipes.ts'

const root = weightsFolder()
const cards = readdirSync(root)
  .filter((file) => file.endsWith('.json'))
  .map((file) => readCard(readFileSync(join(root, file), 'utf8'), file))

/** A sample of each shipped policy: problem 0 of the usual level of its first task that has one, seed `recorded`. */
const RECORDED: Record<string, string> = {
  registers: 'a=7,b=1,c=8;b=a+a;c=a;c=b-c;c?\nb=7+7=14\nc=7\nc=14-7=7\n=7',
  chains: '7+45+96+80-97\n7+45=52\n52+96=148\n148+80=228\n228-97=131\n=131',
  imperative: '1 x=6\n2 y=1\n3 y=y+x\n4 y=y%2\n5 print y\n1: x=6\n2: x=6 y=1\n3: x=6 y=7\n4: x=6 y=1\n5: prints 1\n=1',
  hopworld:
    'Name the headquarters of the employer of Dulos.\nsearch: Dulos | employer\nfound: Zozetec\nsearch: Sazetec | headquarters\nfound: Vupeburg\n=Vupeburg',
  tracking:
    'Al jar, Bo pen, Cy toy. Al-Bo swap, Al-Cy swap. Bo?\nAl-Bo: Al pen, Bo jar, Cy toy\nAl-Cy: Al toy, Bo jar, Cy pen\n=jar',
  tables:
    'from goods | where shop = south | select price | count; 1 item hat, 1 shop south, 1 price 12, 1 stock 3; 2 item toy, 2 shop south, 2 price 7, 2 stock 3; 3 item map, 3 shop south, 3 price 12, 3 stock 5\nrows 1 2 3\nvalues 12 7 12\ncount 3\n=3',
  game24: '1 4 9 3\n1+3=4 (left: 4 4 9)\n9-4=4 (left: 4 6)\n4*6=24 (left: 24)\n=(9-4)*(1+3)',
}

const loaded = new Map<string, LoadedModel>()
const load = async (name: string): Promise<LoadedModel> => {
  const model = loaded.get(name) ?? (await loadEmbedded(name))
  loaded.set(name, model)
  return model
}
afterAll(() => {
  for (const model of loaded.values()) model.dispose()
})

describe('shipped weights', () => {
  it('are at most 8 MB together, and each has a recipe', () => {
    const bytes = readdirSync(root).reduce((sum, file) => sum + statSync(join(root, file)).size, 0)
    expect(bytes).toBeLessThanOrEqual(8_000_000)
    expect(cards.length).toBeGreaterThan(0)
    const recipes = RECIPES.map((recipe) => recipe.name)
    for (const { name } of cards) expect(recipes).toContain(name)
  })

  it.each(cards)('$name are the bytes that its card tells of', ({ name, sha256, licence }) => {
    const file = readFileSync(join(root, `${name}.safetensors`))
    expect(createHash('sha256').update(file).digest('hex')).toBe(sha256)
    expect(licence).toBe('MIT')
  })

  it.each(cards)('$name err as a real model does at the levels that its card names', ({ tasks, measured }) => {
    for (const { task, levels } of tasks) {
      for (const level of levels) {
        const rates = measured.rates.find((each) => each.task === task && each.level === level)
        const [low, high] = task === 'game24' ? [0.05, 0.3] : [0.35, 0.75]
        expect(rates?.passAt1, `${task} ${level}`).toBeGreaterThanOrEqual(low!)
        expect(rates?.passAt1, `${task} ${level}`).toBeLessThanOrEqual(high!)
        expect(rates!.passAtN - rates!.passAt1, `${task} ${level}`).toBeGreaterThanOrEqual(0.15)
      }
    }
  })

  it.each(cards)('$name give the recorded sample', async ({ name }) => {
    const model = await load(name)
    const lesson = lessonsOf(RECIPES.find((recipe) => recipe.name === name)!).find(({ named }) => named.length > 0)!
    const [problem] = heldOutProblems(lesson.task, lesson.named[0]!, 'recorded', 1)
    const prompt = `${renderPrompt(lesson.mark, problem!)}\n`
    const [sample] = await model.generate({ prompts: [prompt], seeds: ['recorded'], maxTokens: 150 })
    expect(prompt + sample!.text).toBe(RECORDED[name])
  })

  it('solve some problems of the usual level today as on the card', async () => {
    const model = await load('chains')
    const lesson = lessonsOf(RECIPES[0]!)[0]!
    const level = lesson.named[0]!
    const now = await passRates(model, lesson, level, { seed: 'today', problems: 24, samples: 8 })
    const then = model.card.measured.rates.find((each) => each.task === lesson.task.name && each.level === level)!
    expect(Math.abs(now.passAt1 - then.passAt1)).toBeLessThan(4 * now.standardError + 4 * then.standardError)
  })

  it('are found by name only', async () => {
    await expect(loadEmbedded('../weights/chains')).rejects.toThrow('GRD-MODEL-004')
    await expect(loadEmbedded('chains', { root: import.meta.dirname })).rejects.toThrow('GRD-MODEL-004')
  })
})

describe('recipes', () => {
  it('keep held-out problems from training, in any order of their numbers', () => {
    const [problem] = heldOutProblems(game24, 2, 'order', 1)
    expect(isHeldOut(problem!.prompt)).toBe(true)
    expect(isHeldOut(problem!.prompt.split(' ').reverse().join(' '))).toBe(true)
  })

  it('read a table behind its question, each cell with its row and column', () => {
    const table = {
      kind: 'table' as const,
      name: 'goods',
      header: ['item', 'price'],
      rows: [
        ['pen', '3'],
        ['cup', '5'],
      ],
    }
    const prompt = 'from goods | where price > 3 | select price | sum'
    expect(renderPrompt('~', { prompt, context: [table] })).toBe(
      `~${prompt}; 1 item pen, 1 price 3; 2 item cup, 2 price 5`,
    )
  })

  it('read each cell of a small table as one token', () => {
    const { words } = RECIPES.find(({ name }) => name === 'tables')!
    for (const problem of tableProgram.generate('words', 0, 200)) {
      // question, what is selected, and four cells in each of three rows
      expect(splitter(words!)(renderPrompt(undefined, problem)), problem.prompt).toHaveLength(2 + 3 * 4)
    }
  })

  it('leave the lines of the environment unlearned', () => {
    const lesson = RECIPES.flatMap(lessonsOf).find(({ task }) => task.name === 'hopworld')!
    const [problem] = lesson.task.generate('given', 1, 1)
    const { completion, given } = toExample(lesson, problem!, problem!.solution!)
    const texts = given!.map(([from, to]) => completion.slice(from, to))
    expect(texts).toEqual(problem!.solution!.filter((step) => step.startsWith('found: ')).map((step) => `${step}\n`))
  })
})
