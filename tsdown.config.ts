import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/core/stats/index.ts',
    'src/io/index.ts',
    'src/engine/index.ts',
    'src/worlds/index.ts',
    // Started as a worker thread by its file.
    'src/worlds/sandbox/quickjs-worker.ts',
    'src/models/index.ts',
    'src/models/policies/embedded/index.ts',
    'src/label/index.ts',
    'src/improve/index.ts',
    'src/prove/index.ts',
    'src/apps/pipeline/index.ts',
    'src/apps/cli/main.ts',
  ],
  format: 'esm',
  platform: 'node',
  target: 'node22',
  dts: true,
  clean: true,
  outDir: 'dist',
  hooks: {
    'build:done': async () => {
      const { writeSchemas } = await import('./scripts/schemas.ts')
      await writeSchemas('dist/schema')
    },
  },
})
