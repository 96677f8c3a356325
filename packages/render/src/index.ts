export { CHECKS, type CheckName, type CheckProblem, type CheckReport, type TreeFile } from './checks/report.ts';
export { checkRenderedTree, checkSourceTree } from './checks/trees.ts';
export type { Engine } from './engine.ts';
export type { KubernetesObject } from './kubernetes-object.ts';
export type { RenderedFile } from './objects-to-files.ts';
export { requireDirectory } from './paths.ts';
export { type RenderedComponent, type RenderedEnvironment, type RenderSpec, renderComponent } from './render.ts';
export type { Tool } from './tools.ts';
