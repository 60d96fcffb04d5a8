import { copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selfRepairingChain } from '../../../worlds/tasks/self-repairing-chain.ts'
import { weightsFolder } from './cards.ts'
import { heldOutProblems, lessonsOf, renderPrompt } from './lessons.ts'
import { type LoadedModel, loadEmbedded } from './load.ts'
import { RECIPES } from './recipes.ts'
import { endThreads, threadCount } from './thread-pool.ts'
import { threadedModel } from './threaded.ts'

const lesson = RECIPES.flatMap(lessonsOf).find(({ task }) => task === selfRepairingChain)
const texts = [0, 1, 2].flatMap((level) =>
  heldOutProblems(selfRepairingChain, level, 'threaded-test', 60).map(
    (problem) => `${renderPrompt(lesson?.mark ?? '', problem)}\n`,
  ),
)
const options = { prompts: texts, seeds: texts.map((_, i) => `threaded/${i}`), maxTokens: 60 }

let here: LoadedModel
const threaded = threadedModel('chains')
beforeAll(async () => {
  here = await loadEmbedded('chains')
})
afterAll(async () => {
  here.dispose()
  await endThreads()
})

describe('an embedded model in threads', () => {
  it('samples and scores bit by bit what it does in this thread, in one thread and in several', async () => {
    const samples = await here.generate(options)
    const scored = await here.score(texts)
    expect(new Set(texts.map(({ length }) => length)).size).toBeGreaterThan(5)
    expect(await threaded.generate(options)).toEqual(samples)
    while (threadCount() < Math.min(2, availableParallelism())) await threaded.generate(options)
    expect(await threaded.generate(options)).toEqual(samples)
    expect(await threaded.score(texts)).toEqual(scored)
    const [one] = await threaded.generate({ ...options, prompts: texts.slice(7, 8), seeds: ['threaded/7'] })
    expect(one).toEqual(samples[7])
    const twice = await threaded.generate({ ...options, prompts: texts.slice(0, 2), n: 2, seeds: ['a', 'b', 'c', 'd'] })
    expect(twice).toEqual(
      await here.generate({ ...options, prompts: texts.slice(0, 2), n: 2, seeds: ['a', 'b', 'c', 'd'] }),
    )
  })

  it('leaves this thread free meanwhile', async () => {
    const ticksIn = async (model: typeof threaded): Promise<number> => {
      let ticks = 0
      const timer = setInterval(() => ticks++, 5)
      await model.generate(options)
      clearInterval(timer)
      return ticks
    }
    expect(await ticksIn(here)).toBe(0)
    expect(await ticksIn(threaded)).toBeGreaterThan(10)
  })

  it('says what the model says of bad input, and goes on', async () => {
    const bad = (prompt: string) => threaded.generate({ prompts: [prompt], seeds: ['0'], maxTokens: 4 })
    await expect(bad('ü\n')).rejects.toMatchObject({ code: 'GRD-MODEL-001', found: expect.stringContaining('ü') })
    await expect(bad('1'.repeat(500))).rejects.toMatchObject({ code: 'GRD-MODEL-002' })
    await expect(threaded.generate({ ...options, seeds: [] })).rejects.toMatchObject({ code: 'GRD-CORE-001' })
    await expect(threaded.score(texts.slice(0, 1))).resolves.toHaveLength(1)
  })

  it('fails what was under way when the threads end, and starts anew', async () => {
    const lost = threaded.generate(options)
    const all = Promise.allSettled([lost])
    await endThreads()
    expect((await all)[0]).toMatchObject({ status: 'rejected', reason: expect.any(RangeError) })
    expect(threadCount()).toBe(0)
    await expect(threaded.score(texts.slice(0, 1))).resolves.toHaveLength(1)
  })

  it('is not opened without weights or with others than the card tells of', async () => {
    expect(() => threadedModel('nothing')).toThrow('GRD-MODEL-004')
    const root = await mkdtemp(join(tmpdir(), 'gradus-weights-'))
    await copyFile(join(weightsFolder(), 'chains.json'), join(root, 'chains.json'))
    const bytes = await readFile(join(weightsFolder(), 'chains.safetensors'))
    bytes[bytes.length - 1]! ^= 1
    await writeFile(join(root, 'chains.safetensors'), bytes)
    expect(() => threadedModel('chains', { root })).toThrow('GRD-MODEL-003')
  })
})
