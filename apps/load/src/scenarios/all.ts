import type { Command } from '../command.js';
import type { Scenario } from '../load/scenario.js';
import { boards } from './boards.js';

/** In the order in which the help lists them. */
export const SCENARIOS: readonly Scenario[] = [boards];

/** What is called like a scenario and is a command of its own. */
export const OTHERS: readonly Command[] = [];
