import { Hono } from 'hono'
import type { ChatModels } from './chat-models.ts'
import type { ServedModel } from './model.ts'
import { noSuchPath, openaiApp } from './openai.ts'
import { type ScoreAppOptions, scoreApp } from './score-app.ts'
import type { ScoreService } from './score-service.ts'

export interface Served extends ScoreAppOptions {
  models: readonly ServedModel[]
  scores?: ScoreService
  chats?: ChatModels
}

/** Everything that `gradus serve` offers, on one port. */
export function serverApp({ models, scores, chats, ...options }: Served): Hono {
  const app = new Hono()
  // First, since its paths are few and asked often.
  if (scores) app.route('/', scoreApp(scores, options))
  app.route('/', openaiApp(models, options.token, chats))
  app.notFound((c) => c.json(noSuchPath(c.req.path), 404))
  return app
}
