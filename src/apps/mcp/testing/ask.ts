import type { CallToolResult } from '@modelcontextprotocol/server'
import { corePacer } from '../../pipeline/label.ts'
import { answerSchema, callTool, type Services, type Tool } from '../tool.ts'

/** What a server without options has, with files below the given folder. */
export function plainServices(root: string, more: Partial<Services> = {}): Services {
  return {
    root,
    rewards: [],
    sends: false,
    allowCode: false,
    allowLocalExec: false,
    seed: '0',
    pace: corePacer(),
    ...more,
  }
}

/** A call in this process, held against the schemas of the tool. */
export async function ask(tool: Tool, args: unknown, services: Services): Promise<CallToolResult> {
  const { signal } = new AbortController()
  const result = await callTool(tool, args, { services, signal }, () => {})
  answerSchema(tool.output).parse(result.structuredContent)
  return result
}

/** The text of an answer. */
export function textOf({ content }: CallToolResult): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('\n')
}
