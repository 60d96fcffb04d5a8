/** Endpoints (who answers) and policies (who writes steps). */
export * from './endpoints/index.ts'
export * from './policies/index.ts'
