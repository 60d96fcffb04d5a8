import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')

it('step-labels.md: every block of code runs, one after the other in one folder', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-docs-'))
  try {
    const text = readFileSync(join(import.meta.dirname, 'step-labels.md'), 'utf8')
    for (const [, kind, block = ''] of text.matchAll(/```(ts|sh)\n([\s\S]*?)```/g)) {
      for (const args of kind === 'ts' ? [[script(folder, block)]] : commands(block)) {
        const { status, stderr, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
        // What was converted is said there, since the output may be standard output.
        const said = stderr.replace(/^[\d,]+ traces written as \w+\n/, '')
        expect(`${args.join(' ')} ${status} ${said}`).toBe(`${args.join(' ')} 0 `)
        expect(stdout).not.toContain('undefined')
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** The block as a file, with the sources in place of the package. */
function script(folder: string, block: string): string {
  const file = join(folder, 'block.ts')
  writeFileSync(
    file,
    block.replace(/from 'gradus(\/\w+)?'/g, (_, room: string | undefined) => {
      return `from '${pathToFileURL(join(ROOT, 'src', room ?? '', 'index.ts')).href}'`
    }),
  )
  return file
}

function commands(block: string): string[][] {
  return block
    .trim()
    .split('\n')
    .map((line) => [join(ROOT, 'bin', 'gradus.mjs'), ...line.split(/\s+/).slice(1)])
}
