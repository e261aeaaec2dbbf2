export { readRedisAddress, type RedisAddress } from './redis-address.js';
export { connectRedis, type RedisLinks } from './redis-links.js';
export { type LinkCounts, type RedisLink } from './redis-link.js';
export { type BusCounts, type RedisBus } from './redis-bus.js';
export { clusterKey, NOT_SEALED, Seal } from './seal.js';
