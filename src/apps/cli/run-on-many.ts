import { openDatabase } from '../../engine/distributed/database.ts'
import type { RunConfig } from '../pipeline/run/config.ts'
import { RunFolder } from '../pipeline/run/folder.ts'
import { RunOnMany } from '../pipeline/run/run-on-many.ts'
import { DEFAULT_FOLDER, DEFAULT_RESULTS, inputDigests, jobSettings } from './many.ts'
import { databaseUrlOf, type ManyFlags } from './many-flags.ts'
import { shownRun } from './show/shown-run.ts'
import type { ExitCode, Terminal } from './verb.ts'

/** `gradus run` with its traces written and labelled by workers, here or elsewhere. */
export async function runManyIn(
  path: string,
  config: RunConfig,
  options: ManyFlags & { json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const inputs = await inputDigests(config.problems === undefined ? [] : [config.problems])
  const folder = await RunFolder.open(path, config)
  const database = await openDatabase(databaseUrlOf(options) ?? DEFAULT_FOLDER)
  try {
    const run = await RunOnMany.open({
      database,
      config,
      inputs,
      folder,
      results: options.results ?? DEFAULT_RESULTS,
      settings: jobSettings(options),
      workHere: options.engine === 'pglite',
    })
    return await shownRun({ folder, engine: run.engine, terminal, json: options.json }, (signal, abort, say) =>
      run.run(signal, abort, say),
    )
  } finally {
    await database.close()
  }
}
