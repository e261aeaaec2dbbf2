import type { Command } from '../command.js';
import { compare } from '../compare/compare.js';
import type { Scenario } from '../load/scenario.js';
import { boards } from './boards.js';
import { cold } from './cold.js';
import { drain } from './drain.js';
import { failover } from './failover.js';
import { hang } from './hang.js';
import { hotBoard } from './hot-board.js';
import { idle } from './idle.js';
import { join } from './join.js';
import { readYourWrites } from './read-your-writes.js';
import { readers } from './readers.js';
import { storm } from './storm.js';

/** In the order in which the help lists them. */
export const SCENARIOS: readonly Scenario[] = [
  boards,
  hotBoard,
  readers,
  readYourWrites,
  idle,
  storm,
  failover,
  hang,
  drain,
  join,
  cold,
];

/** What is called like a scenario and is a command of its own. */
export const OTHERS: readonly Command[] = [compare];
