export { checkModels } from './check-models.js';
export { decideEngine } from './engine.js';
export { NOMINAL_SPEED, prepare, prepareCompiled } from './prepare.js';
export type { PlanRequest, PlanScope, PlanTarget, Preparation } from './request.js';
export { decideRuntime } from './runtime.js';
export { openSavedPlan, savePlan } from './saved-plan.js';
