import { cp } from 'node:fs/promises'
import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/core/stats/index.ts',
    'src/io/index.ts',
    'src/engine/index.ts',
    'src/worlds/index.ts',
    // Started as worker threads by their files.
    'src/worlds/sandbox/quickjs-worker.ts',
    'src/io/trace-index/worker.ts',
    'src/models/policies/embedded/thread.ts',
    'src/models/index.ts',
    'src/models/policies/embedded/index.ts',
    'src/label/index.ts',
    'src/improve/index.ts',
    'src/prove/index.ts',
    'src/apps/pipeline/index.ts',
    'src/apps/ai-sdk/index.ts',
    'src/apps/vitest/index.ts',
    'src/apps/cli/main.ts',
  ],
  format: 'esm',
  platform: 'node',
  target: 'node22',
  dts: true,
  clean: true,
  outDir: 'dist',
  // Bundles the viewer's page in a checkout; the package has it bundled.
  deps: { neverBundle: ['rolldown'] },
  hooks: {
    'build:done': async () => {
      const { bundleClient } = await import('./src/apps/viewer/bundle.ts')
      await bundleClient('dist/viewer')
      await cp('replications/results', 'dist/replications', { recursive: true })
      const { writeSchemas } = await import('./scripts/schemas.ts')
      await writeSchemas('dist/schema')
    },
  },
})
