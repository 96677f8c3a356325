export { parseVersion as requireVersion } from '@gitless/promotion';
export { type Component, type ComponentInputs, filterByName, resolveComponents } from './components.ts';
export { parseConfig, readConfig } from './config.ts';
export { type Config, ConfigSchema } from './config-schema.ts';
export { type PreparedPromotion, preparePromotion, tagPromoted } from './execute-promotion.ts';
export { anchored, fluxResources, TRUSTED_ROOT_SECRET } from './flux-resources.ts';
export { failureOf, forgetResult, readResult, requireAllOk, withFormerFailures, writeResult } from './handover.ts';
export { addEntries, asDigest } from './layout-store.ts';
export { nearest as nearestName } from './nearest.ts';
export {
  type PackagedComponent,
  type PackageInput,
  type PackedObject,
  packageComponent,
  writePackages,
} from './package-component.ts';
export { type PromotionPlan, planPromotion } from './plan-promotion.ts';
export { asIdentity, type Policy, readPolicy, requireSettings } from './policy.ts';
export { type PromotionPlace, type PromotionRequest, requireDigestUnlessPlan } from './promotion-request.ts';
export { moveChannels, type Published, type PublishRequest, publishContent } from './publish.ts';
export {
  packRenderedTree,
  type RenderedTree,
  readRenderedTree,
  unpackRenderedTree,
  writeRenderedTree,
} from './rendered-tree.ts';
export {
  type Cell,
  type ComponentResult,
  type PromoteResult,
  PromoteResultSchema,
  type Result,
  ResultSchema,
  type ToolResult,
} from './results.ts';
export { type SignedBundle, type SignRequest, signComponent } from './sign-component.ts';
export {
  openSession,
  readTrustedRoot,
  resolveServices,
  type ServiceSettings,
  serviceSettings,
} from './signing-session.ts';
export { otherRefTags, pushTags, requirePromotable } from './tag-rules.ts';
export type { Identity } from './verify-artifact.ts';
export { type WorkDir, workDir, writeFileAtomic } from './work-dir.ts';
