export { type ModelPolicyOptions, modelPolicy, type Policy } from './policy.ts'
export { type ChatOptions, chatRenderer, type Rendered, type Renderer, textRenderer } from './renderer.ts'
export { game24RandomPolicy, taskPolicy } from './simulated.ts'
export { lines, paragraphs, STEP_FORMATS, type StepFormat } from './step-format.ts'
