import { OpenAPIHono } from '@hono/zod-openapi'
import { API } from './api.ts'

/** The OpenAPI 3.1 document of every route; no server is needed for it. */
export function openApiDocument() {
  const app = new OpenAPIHono()
  for (const route of Object.values(API)) app.openAPIRegistry.registerPath(route)
  return app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'Gradus viewer', version: '1' } })
}
