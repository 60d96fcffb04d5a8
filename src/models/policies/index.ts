export { type ModelPolicyOptions, modelPolicy, type Policy } from './policy.ts'
export { type ChatOptions, chatRenderer, type Rendered, type Renderer, textRenderer } from './renderer.ts'
export { lines, paragraphs, STEP_FORMATS, type StepFormat } from './step-format.ts'
export { type TaskCompleterOptions, taskCompleter } from './task-completer.ts'
