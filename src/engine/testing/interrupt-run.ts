/** The child of the Ctrl-C test: draws until it is interrupted and reports what became of it. Argument: server URL. */
import { Engine } from '../engine.ts'
import { stopOnInterrupt } from '../interrupt.ts'
import { httpSampler } from './http-sampler.ts'

const [url = ''] = process.argv.slice(2)
const engine = new Engine({ concurrency: 4 })
const sampler = httpSampler(url)
stopOnInterrupt(engine, process, (calls, second) => console.log(JSON.stringify({ calls, second })))
console.log('"ready"')
function* numbers() {
  for (let i = 0; ; i++) yield i
}
for await (const _ of engine.each(numbers(), (i) => engine.sample(sampler, 'x', { from: i }), 8)) void _
console.log(JSON.stringify(engine.counts))
await engine.close()
process.exit(130)
