export { type ChannelMove, type ChannelState, promotedVersion, requireMove } from './channel.ts';
export { type Promotion, PromotionSchema } from './promotion-record.ts';
export { isVersion, parseVersion } from './version.ts';
