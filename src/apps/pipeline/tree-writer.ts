import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Tree } from '../../core/tree.ts'
import { cannotWrite } from '../../io/target.ts'
import { openText } from '../../io/write.ts'
import type { GrownTree } from '../../label/annotators/annotator.ts'

/** Writes the trees of a labelling run in the order of its traces. */
export interface TreeWriter {
  /** Keeps a tree until its trace is done. */
  grown(tree: GrownTree): void
  /** Writes the trees of a trace. */
  write(trace: string): Promise<void>
  close(): Promise<void>
  abandon(): Promise<void>
}

/**
 * `trees.jsonl` in a folder: one object a tree, `{id, annotator, problem, tree, path, runs?, best?}`, where `tree` is what
 * `Tree.fromJSON` reads and `path`, `runs` and `best` are nodes of it.
 * @param dot a Graphviz file for each tree too: `0001-omegaprm.dot`, numbered as the lines
 * @throws GradusError GRD-IO-013/014 on a write error
 */
export async function treeWriter(folder: string, dot: boolean): Promise<TreeWriter> {
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw cannotWrite(folder, cause)
  })
  const out = await openText(join(folder, 'trees.jsonl'))
  const waiting = new Map<string, GrownTree[]>()
  let line = 0
  return {
    grown: (tree) => void waiting.set(tree.id, [...(waiting.get(tree.id) ?? []), tree]),
    async write(trace) {
      for (const tree of waiting.get(trace) ?? []) {
        line++
        await out.write(`${JSON.stringify(tree)}\n`)
        if (!dot) continue
        // The number says which line; names of traces are no names of files.
        const file = await openText(join(folder, `${String(line).padStart(4, '0')}-${tree.annotator}.dot`))
        await file.write(Tree.fromJSON(tree.tree).toDot())
        await file.close()
      }
      waiting.delete(trace)
    },
    close: out.close,
    abandon: out.abandon,
  }
}
