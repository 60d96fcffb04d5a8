import { once } from 'node:events'
import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { loadEmbedded } from '../../../models/policies/embedded/index.ts'
import { newToken } from '../../server/guard.ts'
import { listenOn } from '../../server/listen.ts'
import { servedEmbedded } from '../../server/model.ts'
import { openaiApp } from '../../server/openai.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  policy: z.array(z.string()).default(['embedded']).describe('shipped policies to serve; `embedded` is the usual one'),
  port: z.number().int().min(0).max(65_535).default(8_321).describe('port on the loopback address; 0 = any free one'),
  token: z
    .string()
    .optional()
    .describe('name of the environment variable with the token; a new token is made where not given'),
})

export const serve = verb({
  name: 'serve',
  summary: 'the embedded policy over the OpenAI wire, on this machine only',
  arguments: '',
  options: Options,
  examples: ['gradus serve --policy embedded', 'gradus serve --policy chains,game24 --port 0'],
  async run(_, options, terminal) {
    const token = options.token === undefined ? newToken() : process.env[options.token]
    if (token === undefined || token === '') {
      throw new GradusError('GRD-CLI-002', {
        where: { field: '--token' },
        found: `no environment variable ${options.token}`,
        expected: 'the NAME of a variable that holds the token',
      })
    }
    const models = []
    for (const name of options.policy)
      models.push(servedEmbedded(name, await loadEmbedded(name === 'embedded' ? 'chains' : name)))
    const { server, port, failed } = await listenOn(openaiApp(models, token).fetch, options.port)
    terminal.out(`  models   ${models.map((m) => m.name).join(', ')}\n  address  http://127.0.0.1:${port}/v1\n`)
    terminal.out(options.token === undefined ? `  token    ${token}\n` : `  token    from ${options.token}\n`)
    terminal.out('  Ctrl-C ends it.\n')
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), failed])
    server.close()
    // The threads of the numerical backend would keep the process alive.
    process.exit(EXIT.done)
  },
})
