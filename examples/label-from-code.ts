import { openTraces } from 'gradus/io'
import { OFFLINE_ANNOTATORS } from 'gradus/label'
import { labelTraces } from 'gradus/pipeline'

const { batches } = await openTraces(process.argv[2] ?? 'examples/traces/agents.jsonl')
const context = { allowCode: false, allowLocalExec: false, seed: '0', spend: () => {} }
for await (const batch of batches) {
  for (const { id, verdict } of await labelTraces(batch, OFFLINE_ANNOTATORS, context)) {
    console.log(id, verdict?.firstError ?? 'cannot say') // from 0; -1 = no error
  }
}
