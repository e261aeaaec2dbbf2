/** One thing that the load scripts can do: `npm run <name>`, or `npm run load -- <name>`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly says: string;
  /** `args`: what was said besides. */
  help(args: readonly string[]): string;
  /** Answers the exit code: 0 only if everything that was promised held. */
  run(args: readonly string[]): Promise<number>;
}

/** Wrong use: its message is the one line for the user. */
export class CommandError extends Error {}
