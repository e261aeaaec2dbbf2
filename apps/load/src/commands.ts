import { chaos } from './chaos/chaos.js';
import type { Command } from './command.js';
import { kill } from './kill/kill.js';
import { load } from './load/load.js';
import { scale } from './scale/scale.js';

export const COMMANDS: readonly Command[] = [load, kill, chaos, scale];
