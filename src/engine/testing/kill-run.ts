/**
 * The child of the kill test: draws samples from a server through a journal and writes them to a file at the end.
 *
 * Arguments: server URL, journal file, output file, number of samples, calls under way.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { Engine } from '../engine.ts'
import { httpSampler } from './http-sampler.ts'

const [url = '', journal = '', output = '', samples = '0', concurrency = '8'] = process.argv.slice(2)
const PER_PROMPT = 8

const engine = new Engine({ path: journal, run: 'kill', concurrency: Number(concurrency) })
const sampler = httpSampler(url, 'kill-test')
const prompts = Array.from({ length: Number(samples) / PER_PROMPT }, (_, i) => `prompt ${i}`)
const lines: string[] = []
for await (const outcomes of engine.each(prompts, (prompt) => engine.sample(sampler, prompt, { count: PER_PROMPT }))) {
  for (const outcome of outcomes) lines.push(outcome.ok ? JSON.stringify(outcome.value) : outcome.error.code)
}
// In one step: a half-written file would look finished to the next process.
writeFileSync(`${output}.part`, `${lines.join('\n')}\n`)
renameSync(`${output}.part`, output)
await engine.close()
process.exit(0)
