import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { packageRoot } from '../../package-root.ts'
import { checkedConfig, readRunConfig, sizeOf } from './config.ts'

const page = readFileSync(join(packageRoot(), 'docs', 'running.md'), 'utf8')

describe('docs/running.md', () => {
  it('shows settings that are accepted as they stand', () => {
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
    const config = checkedConfig(parse(yaml))
    expect(sizeOf(config)).toMatchObject({ train: 60, seeds: 2 })
    expect(config.rule).toBe('consensus')
  })

  it('is right that a module of the user may hold the settings', async () => {
    const module = join(packageRoot(), 'examples', 'gradus.config.ts')
    expect(checkedConfig(await readRunConfig(module))).toMatchObject({ size: 'quick', seed: '1' })
  })
})
